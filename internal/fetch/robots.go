package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temoto/robotstxt"
)

const (
	robotsAgent = "paperwire" // the product token that robots.txt may name
	robotsBytes = 500 << 10   // read at most; RFC 9309 §2.5 asks for 500 KiB
	robotsRules = 1000        // obeyed at most: a rule with a wildcard is a compiled pattern of some KB
	robotsLine  = 2 << 10     // bytes; longer lines are skipped
	robotsKept  = 24 * time.Hour
	robotsRetry = time.Hour        // after a 5xx
	robotsBroke = 10 * time.Minute // after an answer that was cut off or never came
	robotsWait  = 10 * time.Second // for robots.txt to come
	maxDelay    = 30 * time.Second // Crawl-delay beyond it would take a day for an edition
)

// robots is what one robots.txt asks of us.
type robots struct {
	group *robotstxt.Group // nil: everything is allowed
	delay time.Duration
	until time.Time // asked again then
}

// allowed asks the robots.txt of a URL's host, once a day.
func (c *Client) allowed(ctx context.Context, h *host, u *url.URL) error {
	if c.ignoreRobots.has(hostport(u)) {
		return nil
	}
	r, err := c.robotsOf(ctx, h, u)
	if err != nil || r.group == nil {
		return err
	}
	// The library compares bytes; publishers write /新闻/ as it stands or encoded.
	query := ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	encoded, decoded := u.EscapedPath(), u.Path
	if encoded == "" {
		encoded, decoded = "/", "/"
	}
	if !r.group.Test(encoded+query) || decoded != encoded && !r.group.Test(decoded+query) {
		return fmt.Errorf("get %s: %w", u, ErrRobots)
	}
	return nil
}

// robotsOf gives the robots.txt in force, fetching it where it is missing or
// old. One caller fetches, the others wait.
func (c *Client) robotsOf(ctx context.Context, h *host, u *url.URL) (robots, error) {
	known := func() (robots, bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		r, ok := h.robots[u.Scheme]
		return r, ok && c.opts.Now().Before(r.until)
	}
	if r, ok := known(); ok {
		return r, nil
	}
	select {
	case h.asked <- struct{}{}:
		defer func() { <-h.asked }()
	case <-ctx.Done():
		return robots{}, wrap(u, ctx.Err())
	}
	if r, ok := known(); ok {
		return r, nil
	}
	if err := h.onHold(c.opts.Now(), u); err != nil {
		return robots{}, err
	}
	r, kept, err := c.fetchRobots(ctx, h, u)
	if err != nil {
		return robots{}, err
	}
	r.until = c.opts.Now().Add(kept)
	h.mu.Lock()
	h.robots[u.Scheme] = r
	if at := h.started.Add(r.delay); at.After(h.next) { // the delay counts from the request just made
		h.next = at
	}
	h.mu.Unlock()
	// Retry-After may have come with it.
	return r, h.onHold(c.opts.Now(), u)
}

// fetchRobots asks for robots.txt. An error means that the document cannot be
// had either: the host is down or wants to be left alone.
func (c *Client) fetchRobots(ctx context.Context, h *host, u *url.URL) (r robots, kept time.Duration, err error) {
	var body []byte
	hops := 0
	limit := min(c.opts.Timeout, robotsWait)
	err = c.run(ctx, &errand{
		first:  &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"},
		hops:   5, // RFC 9309 §2.3.1.2
		limit:  limit,
		budget: limit,
		prepare: func(_ context.Context, _ *url.URL, head http.Header) {
			hops++
			head.Set("Accept", "text/plain,*/*;q=0.5")
			head.Set("Accept-Encoding", "gzip, deflate, br")
		},
		answer: func(u *url.URL, resp *http.Response, a answered) (int64, error) {
			if resp.StatusCode != http.StatusOK {
				drain(resp.Body)
				return 0, a.status(u, resp)
			}
			var (
				wire int64
				err  error
			)
			body, _, wire, err = readHead(resp, robotsBytes)
			return wire, err
		},
	})
	var (
		status *StatusError
		down   *unreached
	)
	switch {
	case err == nil:
		return parseRobots(body), robotsKept, nil
	case ctx.Err() != nil:
		return r, 0, wrap(u, ctx.Err())
	case errors.Is(err, errClosed):
		return r, 0, err
	case errors.As(err, &down) && hops == 1:
		return r, 0, fmt.Errorf("get %s: %w", u, down.error)
	case errors.As(err, &status):
		if status.Code == http.StatusTooManyRequests {
			if held := h.onHold(c.opts.Now(), u); held != nil {
				return r, 0, held
			}
		}
		if status.Code == http.StatusTooManyRequests || status.Code >= 500 {
			// RFC 9309 would have us stay away; a broken robots.txt must not
			// silence a newspaper.
			return r, robotsRetry, nil
		}
		return r, robotsKept, nil
	case errors.Is(err, ErrRedirects), errors.Is(err, ErrForbidden):
		return r, robotsKept, nil
	}
	c.log.WarnContext(ctx, "robots.txt not read, taken for allowed", "host", h.name, "error", err)
	return r, robotsBroke, nil
}

// parseRobots keeps what is said to us or to everybody and gives it to the
// library line by line as it likes it: it gives up on a file for one bad
// Crawl-delay, takes an empty Disallow for a group without rules (so that the
// next group's rules fall on everybody), and a site's home page for rules.
func parseRobots(body []byte) robots {
	var (
		kept     bytes.Buffer
		rules    int
		ours     bool // the group being read is about us
		inRules  bool // and its list of agents has ended
		toUs     bool // some group named us
		everyone bool
	)
	for line := range bytes.Lines(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))) {
		for line := range bytes.SplitSeq(line, []byte{'\r'}) { // old Macintosh line ends
			if len(line) > robotsLine || bytes.IndexByte(line, 0) >= 0 {
				continue
			}
			line, _, _ = bytes.Cut(line, []byte{'#'})
			key, value, ok := strings.Cut(string(line), ":")
			if !ok {
				continue
			}
			key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
			if key == "user-agent" || key == "useragent" {
				if inRules {
					ours, inRules = false, false
				}
				switch value, _, _ = strings.Cut(strings.ToLower(value), "/"); {
				case value == "*":
					ours, everyone = true, true
					kept.WriteString("User-agent: *\n")
				case value == robotsAgent:
					ours, toUs = true, true
					kept.WriteString("User-agent: " + robotsAgent + "\n")
				}
				continue
			}
			switch key {
			case "allow", "disallow":
				if value == "" {
					key, value = "allow", "/" // nothing is disallowed
				}
			case "crawl-delay", "crawldelay":
				s, err := strconv.ParseFloat(value, 64)
				if err != nil || !(s >= 0) {
					continue
				}
				value = strconv.FormatFloat(min(s, maxDelay.Seconds()), 'f', 3, 64)
			default:
				continue
			}
			inRules = true
			if !ours || rules >= robotsRules {
				continue
			}
			rules++
			kept.WriteString(key + ": " + strings.ReplaceAll(value, " ", "%20") + "\n")
		}
	}
	if !toUs && !everyone || rules == 0 {
		return robots{}
	}
	data, err := robotstxt.FromBytes(kept.Bytes())
	if err != nil {
		return robots{}
	}
	g := data.FindGroup(robotsAgent)
	return robots{group: g, delay: min(g.CrawlDelay, maxDelay)}
}
