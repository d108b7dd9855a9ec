package papertest

import (
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func createDatabase(t testing.TB) string {
	t.Helper()
	server := os.Getenv("PAPERWIRE_TEST_POSTGRES")
	if server == "" {
		missing(t, "set PAPERWIRE_TEST_POSTGRES to the URL of a PostgreSQL server, such as postgres://postgres@127.0.0.1:5432/postgres")
	}
	psql := lookUp(t, "psql")
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		t.Fatalf("PAPERWIRE_TEST_POSTGRES: write it like postgres://postgres@127.0.0.1:5432/postgres")
	}
	var name [8]byte
	rand.Read(name[:])
	db := "paperwire_test_" + hex.EncodeToString(name[:])
	run := func(sql string) error {
		// No psqlrc, no password prompt, stop at the first error.
		out, err := exec.Command(psql, "-X", "-w", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, server).CombinedOutput()
		if err != nil {
			t.Errorf("psql: %s: %v: %s", sql, err, strings.TrimSpace(string(out)))
		}
		return err
	}
	// template0, because template1 cannot be copied while anybody looks at it.
	if run("CREATE DATABASE "+db+" TEMPLATE template0 ENCODING 'UTF8'") != nil {
		t.FailNow()
	}
	// FORCE, because a test may leave connections open.
	t.Cleanup(func() { run("DROP DATABASE IF EXISTS " + db + " WITH (FORCE)") })
	u.Path = "/" + db
	return u.String()
}

func lookUp(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program+" is not installed")
	}
	return path
}

// missing ends a test that cannot run here: a skip on a machine with only Go, a
// failure where everything is meant to be there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("PAPERWIRE_TEST_ALL") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}
