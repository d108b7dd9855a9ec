package place

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"paperwire/internal/paper"
)

// maxLine is the longest line Classify accepts, in bytes.
const maxLine = 4 << 20

// classified is one line that Classify writes.
type classified struct {
	ID        any         `json:"id"`
	Reach     paper.Reach `json:"reach"`
	Districts []paper.Tag `json:"districts"`
	Error     string      `json:"error,omitempty"` // why the line could not be read
}

// Classify reads items as JSON lines and writes their placings as JSON lines in
// the same order. An item's paper_city_code overrides city, which may be empty.
// Blank lines are skipped. A line that is no item or names an unknown city is
// answered with the reach none and an error, and the result is an error that has
// the lines' numbers, from 1. A line longer than 4 MB ends it.
func (g *Gazetteer) Classify(r io.Reader, w io.Writer, city string) error {
	finders := map[string]*Finder{}
	if _, err := g.finder(finders, city); err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), maxLine+2)
	out := bufio.NewWriter(w)
	encode := json.NewEncoder(out)
	encode.SetEscapeHTML(false)
	line := 0
	fail := func(err error) error {
		return errors.Join(fmt.Errorf("classify line %d: %w", line, err), out.Flush())
	}
	var bad []error
	refuse := func(id any, err error) error {
		err = fmt.Errorf("line %d: %w", line, err)
		if len(bad) < 20 {
			bad = append(bad, fmt.Errorf("classify %w", err))
		}
		return encode.Encode(classified{ID: id, Reach: paper.ReachNone, Districts: []paper.Tag{}, Error: err.Error()})
	}
	for in.Scan() {
		line++
		b := bytes.TrimSpace(bytes.TrimPrefix(in.Bytes(), []byte("\ufeff")))
		if len(b) == 0 {
			continue
		}
		if b[0] != '{' {
			if err := refuse(nil, errors.New("not a JSON object")); err != nil {
				return fail(err)
			}
			continue
		}
		var item Item
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber() // a long number as id comes back digit for digit
		err := d.Decode(&item)
		if err == nil && d.More() {
			err = errors.New("more than one JSON value on the line")
		}
		if err != nil {
			if err := refuse(item.ID, err); err != nil {
				return fail(err)
			}
			continue
		}
		code := city
		if item.PaperCityCode != "" {
			code = item.PaperCityCode
		}
		f, err := g.finder(finders, code)
		if err != nil {
			if err := refuse(item.ID, err); err != nil {
				return fail(err)
			}
			continue
		}
		p := f.Find(Text{PageName: item.PageName, Title: item.Title, Lead: item.Lead, Body: item.BodySnippet, Byline: item.Byline})
		if err := encode.Encode(classified{ID: item.ID, Reach: p.Reach, Districts: p.Districts}); err != nil {
			return fail(err)
		}
	}
	if err := in.Err(); err != nil {
		line++
		if errors.Is(err, bufio.ErrTooLong) {
			err = errors.New("longer than 4 MB")
		}
		return fail(err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	return errors.Join(bad...)
}

func (g *Gazetteer) finder(made map[string]*Finder, city string) (*Finder, error) {
	if f := made[city]; f != nil {
		return f, nil
	}
	f, err := g.City(city)
	if err == nil {
		made[city] = f
	}
	return f, err
}
