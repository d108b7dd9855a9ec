package sources

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"paperwire/internal/paper"
)

// moment is a date as a feed gives it.
type moment struct {
	day paper.Day // in the source's zone; empty where nothing could be read
	at  time.Time // zero where the date has no time of day
}

var (
	digitsOnly = regexp.MustCompile(`^\d{8,14}$`)
	// 2026-11-20T08:30:00+08:00, 2026年11月20日 08:30, 2026/1/2 8:00, 2026.11.20
	yearFirst = regexp.MustCompile(`^(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2})(?: ?[日号])?(?:[t ,]*(` + clock + `))?` + rest)
	// Fri, 20 Nov 2026 08:30:00 GMT; 20-Nov-26 08:30
	dayFirst = regexp.MustCompile(`^(\d{1,2})[ \-]+(` + months + `)[a-z]*\.?[ \-,]+(\d{4}|\d{2})(?:[ ,]+(` + clock + `))?` + rest)
	// Nov 20, 2026 8:30 AM
	monthFirst = regexp.MustCompile(`^(` + months + `)[a-z]*\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?:,? (?:at )?(` + clock + `))?` + rest)
	// Fri Nov 20 08:30:00 CST 2026, as Java and C print it
	yearLast = regexp.MustCompile(`^(` + months + `)[a-z]*\.? (\d{1,2}) (` + clock + `)(?: ([a-z0-9:+\-]+))? (\d{4})$`)
	// 11/20/2026 08:30 and 20.11.2026
	slashes = regexp.MustCompile(`^(\d{1,2})([/.])(\d{1,2})[/.](\d{4})(?:[ ,]+(` + clock + `))?` + rest)

	clockParts = regexp.MustCompile(`^(am|pm|上午|下午|早上|晚上|中午|凌晨)? ?(\d{1,2}) ?[:时点] ?(\d{1,2})?(?: ?分)?(?: ?:? ?(\d{1,2})(?: ?秒)?)?(?:[.,]\d+)? ?(am|pm|a\.m\.|p\.m\.)?$`)
	weekday    = regexp.MustCompile(`^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +|(?:星期|周|礼拜)[一二三四五六日天],? *)|[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?`)
	offset     = regexp.MustCompile(`^(?:(?:gmt|utc|ut)? ?([+-])(\d{1,2})(?::?(\d{2}))?)$`)
)

const (
	months = `jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec`
	clock  = `(?:(?:上午|下午|早上|晚上|中午|凌晨) ?)?\d{1,2} ?[:时点] ?\d{0,2}(?: ?分)?(?: ?:? ?\d{1,2}(?: ?秒)?)?(?:[.,]\d+)?(?: ?(?:am|pm|a\.m\.|p\.m\.))?`
	rest   = `(?: ?\(?([a-z0-9:+\-/ ]*?)\)?(?: \([^)]*\))?)?$`
)

// readDate reads a date as feeds really write it, in the source's zone: its own
// time counts only with a numeric offset, Z or GMT; CST is China's unless the
// source lies in America. A future date is clamped to now, where now is known.
func readDate(s string, zone *time.Location, now time.Time) moment {
	s = normalDate(s)
	if s == "" || len(s) > 100 {
		return moment{}
	}
	m := dateParts(s, zone)
	if m.day == "" {
		return m
	}
	if m.day < "1980" || m.day > "2200" {
		return moment{} // 1970-01-01 and 0001-01-01 mean that there is none
	}
	if !now.IsZero() {
		if m.at.After(now) {
			m.at = now.In(zone).Truncate(time.Second)
			m.day = paper.DayOf(now, zone)
		} else if today := paper.DayOf(now, zone); m.at.IsZero() && m.day > today {
			m.day = today
		}
	}
	return m
}

// normalDate lower-cases, makes full-width signs plain and drops weekdays.
func normalDate(s string) string {
	s = collapse(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - 0xfee0
		case r == '−' || r == '–' || r == '—':
			return '-'
		}
		return r
	}, s))
	s = strings.ToLower(s)
	return collapse(strings.Trim(weekday.ReplaceAllString(s, " "), " ,;"))
}

func dateParts(s string, zone *time.Location) moment {
	if digitsOnly.MatchString(s) {
		n, _ := strconv.ParseInt(s, 10, 64)
		layout := ""
		switch len(s) {
		case 8:
			if day, err := paper.ParseDay(s); err == nil {
				return moment{day: day}
			}
			return moment{}
		case 10:
			return instant(time.Unix(n, 0), zone)
		case 12:
			layout = "200601021504"
		case 13:
			return instant(time.UnixMilli(n), zone)
		case 14:
			layout = "20060102150405"
		default:
			return moment{}
		}
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			return moment{}
		}
		return instant(t, zone)
	}
	if m := yearFirst.FindStringSubmatch(s); m != nil {
		return assemble(m[1], m[2], m[3], m[4], m[5], zone)
	}
	if m := dayFirst.FindStringSubmatch(s); m != nil {
		return assemble(m[3], monthNumber(m[2]), m[1], m[4], m[5], zone)
	}
	if m := monthFirst.FindStringSubmatch(s); m != nil {
		return assemble(m[3], monthNumber(m[1]), m[2], m[4], m[5], zone)
	}
	if m := yearLast.FindStringSubmatch(s); m != nil {
		return assemble(m[5], monthNumber(m[1]), m[2], m[3], m[4], zone)
	}
	if m := slashes.FindStringSubmatch(s); m != nil {
		month, day := m[1], m[3]
		if n, _ := strconv.Atoi(month); m[2] == "." || n > 12 {
			month, day = day, month
		}
		return assemble(m[4], month, day, m[5], m[6], zone)
	}
	return moment{}
}

func instant(t time.Time, zone *time.Location) moment {
	t = t.In(zone).Truncate(time.Second)
	return moment{day: paper.DayOf(t, zone), at: t}
}

func monthNumber(s string) string {
	return strconv.Itoa(strings.Index(months, s)/4 + 1)
}

// assemble makes a moment of its parts; the zone's name or offset may be empty.
func assemble(year, month, day, clock, offset string, zone *time.Location) moment {
	y, _ := strconv.Atoi(year)
	if len(year) == 2 {
		if y += 2000; y > 2069 {
			y -= 100
		}
	}
	mo, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	date := time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC)
	if date.Day() != d || int(date.Month()) != mo {
		return moment{}
	}
	m := clockParts.FindStringSubmatch(clock)
	if m == nil {
		return moment{day: paper.Day(date.Format(time.DateOnly))}
	}
	h, _ := strconv.Atoi(m[2])
	minute, _ := strconv.Atoi(m[3])
	sec, _ := strconv.Atoi(m[4])
	switch half := m[1] + strings.ReplaceAll(m[5], ".", ""); half {
	case "pm", "下午", "晚上":
		if h < 12 {
			h += 12
		}
	case "中午":
		if h < 11 {
			h += 12
		}
	case "am", "上午", "早上", "凌晨":
		if h == 12 {
			h = 0
		}
	}
	if h > 24 || minute > 59 || sec > 60 {
		return moment{day: paper.Day(date.Format(time.DateOnly))}
	}
	wall := time.Date(y, time.Month(mo), d, h, minute, sec, 0, zone)
	if east, known := offsetOf(offset, wall); known {
		wall = time.Date(y, time.Month(mo), d, h, minute, sec, 0, time.FixedZone("", east))
	}
	return instant(wall, zone)
}

// offsets of zone names in hours east of Greenwich. Names that several zones
// share mean the one of Chinese feeds.
var offsets = map[string]float64{
	"z": 0, "gmt": 0, "utc": 0, "ut": 0, "wet": 0,
	"hkt": 8, "sgt": 8, "pht": 8, "myt": 8, "awst": 8, "ct": 8, "beijing": 8, "prc": 8, "asia/shanghai": 8, "asia/chongqing": 8, "asia/hong_kong": 8, "asia/taipei": 8,
	"jst": 9, "kst": 9, "ict": 7, "ist": 5.5, "msk": 3, "eet": 2, "eest": 3, "cet": 1, "cest": 2, "met": 1, "mest": 2, "bst": 1, "west": 1,
	"est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "hst": -10, "aest": 10, "aedt": 11,
}

// offsetOf tells seconds east of Greenwich for a zone as written; false where it
// is the source's own zone.
func offsetOf(s string, wall time.Time) (int, bool) {
	s = strings.TrimSpace(s)
	if m := offset.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[2])
		minute, _ := strconv.Atoi(m[3])
		if h > 14 {
			return 0, false
		}
		east := h*3600 + minute*60
		if m[1] == "-" {
			east = -east
		}
		return east, true
	}
	if s == "cst" {
		if _, own := wall.Zone(); own < 0 {
			return -6 * 3600, true
		}
		return 8 * 3600, true
	}
	east, ok := offsets[s]
	return int(east * 3600), ok
}
