package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
	"golang.org/x/net/idna"
)

// maxURL is the longest address we ask, in bytes; servers stop at about 8 KB too.
const maxURL = 8 << 10

// guard lets through addresses that are public. Papers stand on ports such as
// :8080 and :81, so any port will do.
var guard = ssrf.New(ssrf.WithAnyPort())

// dial reaches host:port. The check is made on the address that the resolver
// gave, right before connecting, so a name that is public when first looked up
// and private at the next gains nothing.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := *c.dialer
	if !c.open.has(address) {
		then := d.Control
		d.Control = func(network, address string, rc syscall.RawConn) error {
			if err := guard.Safe(network, address, rc); err != nil {
				return fmt.Errorf("%w: %w; a host inside the house is opened by its name in the configuration", ErrForbidden, err)
			}
			if then != nil {
				return then(network, address, rc)
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}

// address reads a URL that we were told to fetch.
func (c *Client) address(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > maxURL {
		return nil, fmt.Errorf("get %s…: %w: longer than %d bytes", raw[:100], ErrForbidden, maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) { // its own text repeats the URL, password and all
			err = ue.Err
		}
		return nil, fmt.Errorf("get: not a URL: %w", err)
	}
	return c.checked(u)
}

// checked makes an address canonical as far as politeness needs it, and refuses
// what no publisher's page has.
func (c *Client) checked(u *url.URL) (*url.URL, error) {
	refuse := func(why string) (*url.URL, error) {
		return nil, fmt.Errorf("get %s: %w: %s", u.Redacted(), ErrForbidden, why)
	}
	switch u.Scheme {
	case "http", "https":
	default:
		return refuse("only http and https are fetched")
	}
	if u.User != nil {
		return refuse("a user name in a URL")
	}
	name := u.Hostname()
	if name == "" || u.Opaque != "" {
		return refuse("no host")
	}
	// The ASCII form is the one that is dialled, so hosts are paced, opened and
	// ignored by it: 例子.中国 and xn--fsqu00a.xn--fiqs8s are one.
	if !strings.Contains(name, ":") {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			ascii = strings.ToLower(name) // names with an underscore exist
			for i := range len(ascii) {
				if ascii[i] >= 0x80 {
					return refuse("not a host name")
				}
			}
		}
		name = ascii
	} else {
		name = "[" + strings.ToLower(name) + "]"
	}
	v := *u
	v.Host = name
	if port := u.Port(); port != "" && port != defaultPort(u.Scheme) {
		v.Host = name + ":" + port
	}
	v.Fragment, v.RawFragment = "", ""
	return &v, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// names is a set of hosts as the configuration writes them: example.cn means it
// on every port, example.cn:8080 on that one.
type names map[string]bool

func newNames(list []string) names {
	set := make(names, len(list))
	for _, n := range list {
		set[fold(n)] = true
	}
	return set
}

// has looks up host:port, as dialled.
func (n names) has(hostport string) bool {
	if len(n) == 0 {
		return false
	}
	if n[fold(hostport)] {
		return true
	}
	name, _, err := net.SplitHostPort(hostport)
	return err == nil && n[fold(name)]
}

// hostport is the address that will be dialled for a checked URL.
func hostport(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// fold writes a host, with or without port, in the one way we compare.
func fold(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if name, port, err := net.SplitHostPort(s); err == nil {
		return net.JoinHostPort(asciiName(name), port)
	}
	return asciiName(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
}

func asciiName(s string) string {
	if strings.Contains(s, ":") {
		return s
	}
	if a, err := idna.Lookup.ToASCII(s); err == nil {
		return a
	}
	return s
}
