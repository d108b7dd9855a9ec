package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paperwire/internal/paper"
)

// illustrated brings in one article with pictures, listed in its edition.
func illustrated(t *testing.T, s *Store, day paper.Day, origin, words string, urls ...string) string {
	t.Helper()
	in := art("a", day, origin, 0, words)
	for _, u := range urls {
		in.Article.Images = append(in.Article.Images, paper.Image{URL: u, Caption: "图"})
		in.Article.HTML += `<img src="` + u + `">`
	}
	if _, _, err := s.List(t.Context(), Listing{Source: "a", Paper: "a", Day: day, Refs: []Listed{{Origin: origin, URL: in.Article.URL, Page: "01"}}}); err != nil {
		t.Fatal(err)
	}
	out, err := s.Ingest(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.ID
}

func publish(t *testing.T, s *Store, day paper.Day) {
	t.Helper()
	if err := s.Settle(t.Context(), "a", "a", day, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Release(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
}

// keep copies a picture of n bytes.
func keep(t *testing.T, s *Store, url string, n int) paper.Picture {
	t.Helper()
	day := paper.Day("2026-03-18")
	if x := strings.Split(url, "/"); len(x) == 5 {
		day = paper.Day(x[3])
	}
	p, err := s.KeepPicture(t.Context(), url, day, paper.Picture{Type: "image/jpeg", Width: 30, Height: 20, Source: url + "?full"}, content(url, n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func content(url string, n int) []byte { return bytes.Repeat([]byte(url+"\x00\xff"), n/len(url)+1)[:n] }

func show(t *testing.T, s *Store, id string, pictures ...*paper.Picture) {
	t.Helper()
	copies := map[string]*paper.Picture{}
	for _, p := range pictures {
		copies[strings.TrimSuffix(p.Source, "?full")] = p
	}
	if err := s.Mirrored(t.Context(), id, copies); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *Store, name string) []byte {
	t.Helper()
	_, f, err := s.Blob(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPictures(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		const day, u = paper.Day("2026-03-18"), "http://a.example/1.jpg"
		c := newClock()
		s := open(t, dsn(t), c)
		id := illustrated(t, s, day, "1_1", "一", u, "http://a.example/2.jpg")
		if list, err := s.Unmirrored(t.Context(), "a", day); err != nil || len(list) != 1 || list[0].ID != id {
			t.Fatalf("unmirrored: %v %v", list, err)
		}
		p := keep(t, s, u, 700_000) // three pieces
		if got := read(t, s, p.Name); !bytes.Equal(got, content(u, 700_000)) {
			t.Error("other bytes came back")
		}
		if again := keep(t, s, u, 700_000); again != p {
			t.Errorf("the same bytes once more: %+v, first %+v", again, p)
		}
		if kept, _, err := s.Kept(t.Context(), u); err != nil || kept == nil || *kept != p {
			t.Errorf("kept: %+v %v", kept, err)
		}
		show(t, s, id, &p)
		if _, err := s.Picture(t.Context(), paper.Public, p.Name); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("of an article that is not released: %v", err)
		}
		publish(t, s, day)
		item, err := s.Item(t.Context(), paper.Public, id)
		if err != nil || item.Images[0].Mirror == nil || *item.Images[0].Mirror != p || item.Images[0].URL != u || item.Images[1].Mirror != nil {
			t.Fatalf("released with %+v, %v", item.Images, err)
		}
		if got, err := s.Picture(t.Context(), paper.Public, p.Name); err != nil || got != p {
			t.Errorf("of a released article: %+v, %v", got, err)
		}
		// What is out stays as it is, whoever copies later.
		p2 := keep(t, s, "http://a.example/2.jpg", 1000)
		show(t, s, id, &p, &p2)
		if later, err := s.Item(t.Context(), paper.Public, id); err != nil || later.Images[1].Mirror != nil {
			t.Errorf("changed after its release: %+v, %v", later.Images, err)
		}
		if _, err := s.Picture(t.Context(), paper.Public, p2.Name); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("a copy that nothing shows: %v", err)
		}
		// Rights: a view of headlines shows no picture, one of summaries the first.
		if _, err := s.Picture(t.Context(), paper.View{Key: "p", Rights: paper.RightsHeadline}, p.Name); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("for a view of headlines: %v", err)
		}
		if _, err := s.Picture(t.Context(), paper.View{Key: "p", Rights: paper.RightsSummary}, p.Name); err != nil {
			t.Errorf("for a view of summaries: %v", err)
		}
		// A correction brings a picture that shows only once it is out.
		c.add(time.Hour)
		illustrated(t, s, day, "1_1", "一改", u, "http://a.example/2.jpg")
		show(t, s, id, &p, &p2)
		if _, err := s.Picture(t.Context(), paper.Public, p2.Name); !errors.Is(err, paper.ErrNotFound) {
			t.Errorf("of a pending correction: %v", err)
		}
		publish(t, s, day)
		if _, err := s.Picture(t.Context(), paper.Public, p2.Name); err != nil {
			t.Errorf("of a released correction: %v", err)
		}
		if err := s.Withdraw(t.Context(), id, "gone"); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		if _, err := s.Release(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Picture(t.Context(), paper.Public, p.Name); !errors.Is(err, paper.ErrGone) {
			t.Errorf("of a withdrawn article: %v", err)
		}
	})
}

func TestPictureTries(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		s := open(t, dsn(t), newClock())
		for want := 1; want <= 2; want++ {
			if err := s.PictureFailed(t.Context(), "http://a.example/x.jpg", false); err != nil {
				t.Fatal(err)
			}
			if p, tries, err := s.Kept(t.Context(), "http://a.example/x.jpg"); err != nil || p != nil || tries != want {
				t.Errorf("%v %d %v, want %d tries", p, tries, err, want)
			}
		}
		keep(t, s, "http://a.example/x.jpg", 10)
		if p, tries, err := s.Kept(t.Context(), "http://a.example/x.jpg"); err != nil || p == nil || tries != 0 {
			t.Errorf("kept at last: %v %d %v", p, tries, err)
		}
	})
}

func TestPictureQuota(t *testing.T) {
	databases(t, func(t *testing.T, dsn func(testing.TB) string) {
		c := newClock() // 2026-03-18
		s := open(t, dsn(t), c)
		s.quota = 100_000
		kept := func(p paper.Picture) bool {
			_, f, err := s.Blob(t.Context(), p.Name)
			if err == nil {
				f.Close()
			} else if !errors.Is(err, paper.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		put := func(day paper.Day, n int) paper.Picture {
			t.Helper()
			u := fmt.Sprintf("http://a.example/%s/%d.jpg", day, n)
			id := illustrated(t, s, day, fmt.Sprintf("1_%d", n), u, u)
			p := keep(t, s, u, 30_000)
			show(t, s, id, &p)
			c.add(time.Minute)
			return p
		}
		old1, old2 := put("2026-02-01", 1), put("2026-02-01", 2)
		young := put("2026-03-17", 3)
		c.add(24 * time.Hour)
		if !kept(old1) || !kept(old2) || !kept(young) {
			t.Fatal("went though there was room")
		}
		c.add(24 * time.Hour)
		if !kept(old1) { // used: old2 goes first
			t.Fatal("went though there was room")
		}
		young2 := put("2026-03-17", 4)
		if kept(old2) || !kept(old1) || !kept(young) || !kept(young2) {
			t.Errorf("the least recently used of the old goes: %v %v %v %v", kept(old1), kept(old2), kept(young), kept(young2))
		}
		if p, _, err := s.Kept(t.Context(), "http://a.example/2026-02-01/2.jpg"); err != nil || p != nil {
			t.Errorf("what went is said to be there: %v %v", p, err)
		}
		// A resized one goes before anything that cannot be made again, unless it
		// was used later.
		v := paper.Picture{Name: strings.TrimSuffix(young.Name, ".jpg") + "-160.jpg", Type: "image/jpeg", Width: 160}
		if err := s.KeepVariant(t.Context(), v, make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		c.add(24 * time.Hour)
		young3 := put("2026-03-18", 5) // 125,000 with the resized one
		if kept(old1) || !kept(young) || !kept(young2) || !kept(young3) {
			t.Error("the old go before the young")
		}
		c.add(24 * time.Hour)
		young4 := put("2026-03-18", 6) // 125,000: only the resized one may go
		if kept(v) || !kept(young) || !kept(young2) || !kept(young3) || !kept(young4) {
			t.Error("young pictures stay until a quarter more than the quota is used")
		}
		young5 := put("2026-03-18", 7) // 150,000
		n := 0
		for _, p := range []paper.Picture{young, young2, young3, young4, young5} {
			if kept(p) {
				n++
			}
		}
		if n != 4 || kept(young4) || !kept(young5) { // the others were asked for since
			t.Errorf("%d of 30,000 bytes stay with a hard limit of 125,000", n)
		}
	})
}

// Whatever moment a process dies at: no row without bytes, and no file for ever.
func TestPictureFilesOfTheDead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "p.db"), newClock())
	p := keep(t, s, "http://a.example/1.jpg", 1000)
	at := filepath.Join(dir, "pictures", p.Name[:2], p.Name)
	if _, err := os.Stat(at); err != nil {
		t.Fatal(err)
	}
	// Died before its row: the transaction fails, the file is an orphan.
	orphan := "ab" + strings.Repeat("0", 62) + ".jpg"
	died := errors.New("died")
	if err := s.shelf.put(t.Context(), orphan, []byte("x"), func(*sql.Tx) error { return died }); !errors.Is(err, died) {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "pictures", "ab", temporary+"1234")
	if err := os.WriteFile(half, []byte("hal"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * orphanAfter)
	for _, f := range []string{at, half, filepath.Join(dir, "pictures", "ab", orphan)} {
		if err := os.Chtimes(f, old, old); err != nil {
			t.Fatal(err)
		}
	}
	fresh := filepath.Join(dir, "pictures", "ab", temporary+"5678")
	if err := os.WriteFile(fresh, []byte("being written"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	for f, want := range map[string]bool{at: true, fresh: true, half: false, filepath.Join(dir, "pictures", "ab", orphan): false} {
		if _, err := os.Stat(f); (err == nil) != want {
			t.Errorf("%s: %v, want it kept: %v", f, err, want)
		}
	}
	// A file that was cut or removed is not served, and is fetched again.
	if err := os.Truncate(at, 10); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Blob(t.Context(), p.Name); !errors.Is(err, paper.ErrNotFound) {
		t.Errorf("a cut file: %v", err)
	}
	if k, _, err := s.Kept(t.Context(), "http://a.example/1.jpg"); err != nil || k != nil {
		t.Errorf("a cut file is said to be there: %v %v", k, err)
	}
	keep(t, s, "http://a.example/1.jpg", 1000)
	if got := read(t, s, p.Name); len(got) != 1000 {
		t.Errorf("%d bytes after it was fetched again", len(got))
	}
}

func BenchmarkBlob(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "p.db"), newClock())
	p, err := s.KeepPicture(b.Context(), "http://a.example/1.jpg", "", paper.Picture{Type: "image/jpeg", Width: 30, Height: 20}, make([]byte, 200<<10))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(200 << 10)
	for b.Loop() {
		_, f, err := s.Blob(b.Context(), p.Name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, f); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
