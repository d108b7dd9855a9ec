package ingest

import (
	"testing"
	"time"
)

// A day that is missing is asked for at once, then after longer and longer rests.
func TestMissedRests(t *testing.T) {
	for tries, want := range map[int][2]time.Duration{ // listed, or not
		1: {0, 0}, 2: {15 * time.Minute, 15 * time.Minute}, 3: {time.Hour, time.Hour}, 4: {time.Hour, 4 * time.Hour},
		5: {time.Hour, 16 * time.Hour}, 6: {time.Hour, 24 * time.Hour}, 1000: {time.Hour, 24 * time.Hour},
	} {
		if got := (missed{Tries: tries, Shown: true}).rest(); got != want[0] {
			t.Errorf("listed, %d tries: %s", tries, got)
		}
		if got := (missed{Tries: tries}).rest(); got != want[1] {
			t.Errorf("not listed, %d tries: %s", tries, got)
		}
	}
}
