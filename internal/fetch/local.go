package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// localHandler is who answers for a URL in this process, or nil.
func (c *Client) localHandler(u *url.URL) http.Handler {
	if len(c.local) == 0 {
		return nil
	}
	if h := c.local[fold(hostport(u))]; h != nil {
		return h
	}
	return c.local[fold(u.Hostname())]
}

// serveLocal asks a handler in this process as if it had come over the network.
func serveLocal(h http.Handler, req *http.Request, limit int64) (resp *http.Response, err error) {
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Body = http.NoBody
	w := &recorder{head: make(http.Header), limit: limit}
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, fmt.Errorf("local handler: %v", p)
		}
	}()
	h.ServeHTTP(w, in)
	w.WriteHeader(http.StatusOK)
	if w.sent.Get("Content-Type") == "" && w.body.Len() > 0 {
		w.sent.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
	length := int64(w.body.Len())
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		length = n
	}
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.sent,
		Body:          io.NopCloser(&w.body),
		ContentLength: length,
		Request:       req,
	}, nil
}

// recorder is the http.ResponseWriter of a local handler.
type recorder struct {
	head, sent http.Header // as being set; as they stood at WriteHeader
	status     int
	body       bytes.Buffer
	limit      int64
}

func (w *recorder) Header() http.Header { return w.head }

func (w *recorder) WriteHeader(status int) {
	if w.status != 0 || status < 200 { // 1xx go before the answer
		return
	}
	w.status, w.sent = status, w.head.Clone()
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	// One byte beyond the limit is kept, so that readBody sees it.
	if int64(w.body.Len()+len(p)) > w.limit+1 {
		n, _ := w.body.Write(p[:max(w.limit+1-int64(w.body.Len()), 0)])
		return n, errors.New("local answer too large")
	}
	return w.body.Write(p)
}
