package fetch

import (
	"context"
	"net"

	"golang.org/x/net/dns/dnsmessage"
)

// resolver is a resolver whose A records come from a function; nil is no answer.
// It speaks DNS over a pipe, so that Go's own look-up and dial code runs.
func resolver(lookup func(name string) net.IP) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for answerDNS(theirs, lookup) == nil {
			}
		}()
		return ours, nil
	}}
}

// answerDNS answers one question in the stream form (RFC 1035 §4.2.2): two bytes
// of length before each message.
func answerDNS(conn net.Conn, lookup func(string) net.IP) error {
	buf := make([]byte, 2+65535)
	n, err := conn.Read(buf)
	for err == nil && (n < 2 || n < 2+int(buf[0])<<8+int(buf[1])) {
		var k int
		k, err = conn.Read(buf[n:])
		n += k
	}
	if err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(buf[2:n]); err != nil {
		return err
	}
	q := m.Questions[0]
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	if q.Type != dnsmessage.TypeA {
		// no answer, and no error: there may be A records
	} else if ip := lookup(q.Name.String()); ip == nil {
		out.RCode = dnsmessage.RCodeNameError
	} else {
		out.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte(ip)},
		}}
	}
	packed, err := out.Pack()
	if err != nil {
		return err
	}
	_, err = conn.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
	return err
}
