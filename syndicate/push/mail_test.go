package push

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// A mail server that takes the call and says nothing holds up nothing.
func TestSilentMailServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- Mail{Server: ln.Addr().String(), From: "a@example.cn", To: []string{"b@example.cn"}}.deliver(ctx, "127.0.0.1", nil)
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
}
