// A small media server: setup, invitations, passkeys, a session per request, API keys, app passwords for players that know
// only name and password, a library that is not for everybody.
// Its films are in an SQLite of its own, beside the one in the library.
//
//	PKG_CONFIG_PATH=/usr/local/lib/pkgconfig go build && ./media id.db 8080
//
// docs/hosts.md says what every host must do; the numbers in the comments are its own.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

type server struct {
	host          Handle
	films         *sql.DB
	origin, named string
}

// notFound is for what this server itself does not find.
var notFound = errors.New("not found")

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: media DATABASE PORT")
	}
	path, port := os.Args[1], os.Args[2]
	// 5. Cookies know no ports, so without https the name tells it. Over https it begins with `__Host-`.
	s := &server{origin: "http://localhost:" + port, named: "media-" + port}
	var err error
	if s.host, err = Open(path, s.origin); err != nil {
		log.Fatal(err)
	}
	defer s.host.Close()
	if err := s.prepare(path); err != nil {
		log.Fatal(err)
	}
	ends, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go s.keepUp(ends, path)

	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", s.origin)
	web := &http.Server{Handler: s.routes()}
	go web.Serve(listener)
	<-ends.Done()
	web.Shutdown(context.Background())
}

func (s *server) prepare(path string) error {
	token, err := s.host.FirstRun()
	if err != nil {
		return err
	}
	if token != "" {
		fmt.Println("setup token", token)
	}
	// Another file: two copies of SQLite in one process must not open the same one.
	if s.films, err = sql.Open("sqlite3", path+".films"); err != nil {
		return err
	}
	if _, err := s.films.Exec("CREATE TABLE IF NOT EXISTS films (title TEXT)"); err != nil {
		return err
	}
	return s.host.AllowInvitations()
}

// 10 and 11. Once a day: what has expired goes, and a copy is kept. `cp` would not make one.
func (s *server) keepUp(ends context.Context, path string) {
	for day := time.NewTicker(24 * time.Hour); ; {
		fresh := path + ".copy.new"
		os.Remove(fresh)
		err := s.host.Upkeep(fresh)
		if err == nil {
			err = os.Rename(fresh, path+".copy")
		}
		if err != nil {
			log.Print("upkeep: ", err)
		}
		select {
		case <-ends.Done():
			return
		case <-day.C:
		}
	}
}

func (s *server) routes() http.Handler {
	web := http.NewServeMux()
	web.HandleFunc("/library", s.user("GET", false, s.library))
	web.HandleFunc("/invitations", s.user("POST", false, func(r *http.Request, who *Caller) (string, error) {
		return who.Invite(r.FormValue("approval") != "")
	}))
	web.HandleFunc("/approvals", s.user("POST", false, func(r *http.Request, who *Caller) (string, error) {
		found, err := who.Approve(r.FormValue("username"))
		if err == nil && !found {
			err = notFound
		}
		return "", err
	}))
	web.HandleFunc("/keys", s.user("POST", false, func(_ *http.Request, who *Caller) (string, error) { return who.MakeKey() }))
	web.HandleFunc("/app-passwords", s.user("POST", false, func(_ *http.Request, who *Caller) (string, error) {
		return who.MakeAppPassword()
	}))
	web.HandleFunc("/player", s.player)
	web.HandleFunc("/sign-out", s.signOut)
	web.HandleFunc("/setup", s.setup)
	for _, what := range []string{"login", "signup", "registration", "step-up"} {
		web.HandleFunc("/passkey/"+what+"/begin", s.ceremony(what, s.begin))
		web.HandleFunc("/passkey/"+what+"/finish", s.ceremony(what, s.finish))
	}
	return web
}

// answer writes a text, or the error's own status with JSON for the page. The words are for the log.
func answer(w http.ResponseWriter, r *http.Request, text string, err error) {
	w.Header().Set("Cache-Control", "no-store")
	var said *Error
	switch {
	case err == nil && text == "":
		w.WriteHeader(http.StatusNoContent)
	case err == nil:
		io.WriteString(w, text)
	case errors.As(err, &said):
		log.Print(r.Method, " ", r.URL.Path, ": ", err)
		if said.RetrySeconds > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(said.RetrySeconds))
		}
		w.WriteHeader(said.HTTP)
		fmt.Fprintf(w, `{"error":%q,"reason":%s}`+"\n", said.Name, orNull(said.Reason))
	case errors.Is(err, notFound):
		w.WriteHeader(http.StatusNotFound)
	default:
		log.Print(r.Method, " ", r.URL.Path, ": ", err)
		w.WriteHeader(http.StatusForbidden)
	}
}

func orNull(json string) string {
	if json == "" {
		return "null"
	}
	return json
}

// 2. Where a request came from. Behind a proxy of your own, its header instead.
func clientOf(r *http.Request) (address, userAgent string) {
	address, _, _ = net.SplitHostPort(r.RemoteAddr)
	return address, r.UserAgent()
}

// 3. Whoever asks. The cookie decides, then a bearer, then the other header.
func (s *server) letIn(r *http.Request, enrolling bool) (*Caller, error) {
	credential := strings.TrimSpace(r.Header.Get("X-API-Key"))
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "bearer") {
		credential = strings.TrimSpace(token)
	}
	if cookie, err := r.Cookie(s.named + "-session"); err == nil && cookie.Value != "" {
		credential = cookie.Value
		// 6. A browser sends cookies by itself, also for a page of somebody else's.
		if from := r.Header.Get("Origin"); r.Method != "GET" && from != "" && from != s.origin {
			return nil, errors.New("from another site")
		}
	}
	address, userAgent := clientOf(r)
	return s.host.Authenticate(credential, enrolling, address, userAgent)
}

// user lets users in, and only them.
func (s *server) user(method string, enrolling bool, do func(*http.Request, *Caller) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			answer(w, r, "", notFound)
			return
		}
		who, err := s.letIn(r, enrolling)
		if err != nil {
			answer(w, r, "", err)
			return
		}
		defer who.Close()
		text, err := do(r, who)
		answer(w, r, text, err)
	}
}

func (s *server) library(_ *http.Request, who *Caller) (string, error) {
	allowed, err := who.MayUse(s.host, "library")
	if err == nil && !allowed {
		err = errors.New("the library is closed to them")
	}
	if err != nil {
		return "", err
	}
	var films int
	if err := s.films.QueryRow("SELECT count(*) FROM films").Scan(&films); err != nil {
		return "", err
	}
	return "films for " + who.Username + "\n", nil
}

// player is for what knows only name and password. Browsers are not asked for them.
func (s *server) player(w http.ResponseWriter, r *http.Request) {
	name, password, ok := r.BasicAuth()
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	address, userAgent := clientOf(r)
	username, err := s.host.VerifyAppPassword(name, password, address, userAgent)
	answer(w, r, "films for "+username+"\n", err)
}

// 7. The session ends in the database, not only in the browser.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	s.user("POST", true, func(r *http.Request, who *Caller) (string, error) {
		cookie, err := who.SignOut(s.named + "-session")
		if err == nil {
			w.Header().Add("Set-Cookie", cookie)
		}
		return "", err
	})(w, r)
}

func welcome(w http.ResponseWriter, r *http.Request, in SignedIn, err error) {
	if err == nil && in.Cookie != "" {
		w.Header().Add("Set-Cookie", in.Cookie)
	}
	answer(w, r, in.Username+"\n", err)
}

func body(w http.ResponseWriter, r *http.Request) string {
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 64*1024))
	return string(body)
}

// 1. Whoever has the setup token becomes the administrator. Their first passkey completes setup.
func (s *server) setup(w http.ResponseWriter, r *http.Request) {
	stranger, err := s.host.Stranger(clientOf(r))
	if err != nil {
		answer(w, r, "", err)
		return
	}
	defer stranger.Close()
	in, err := stranger.ClaimSetup(body(w, r), r.URL.Query().Get("username"), s.named+"-session")
	welcome(w, r, in, err)
}

// ceremony gives the handle of whoever may take part: anybody to sign in or up, users for the others.
func (s *server) ceremony(what string, do func(http.ResponseWriter, *http.Request, string, Handle)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if what == "login" || what == "signup" {
			stranger, err := s.host.Stranger(clientOf(r))
			if err != nil {
				answer(w, r, "", err)
				return
			}
			defer stranger.Close()
			do(w, r, what, stranger)
			return
		}
		who, err := s.letIn(r, what == "registration")
		if err != nil {
			answer(w, r, "", err)
			return
		}
		defer who.Close()
		do(w, r, what, who.Handle)
	}
}

// begin sends the options to the browser, and the ceremony in a cookie.
func (s *server) begin(w http.ResponseWriter, r *http.Request, what string, handle Handle) {
	begun, err := handle.Begin(what, r.URL.Query().Get("username"), body(w, r))
	if err == nil {
		http.SetCookie(w, &http.Cookie{Name: s.named + "-ceremony", Value: begun.Name, Path: "/", MaxAge: 600, HttpOnly: true,
			SameSite: http.SameSiteLaxMode})
	}
	answer(w, r, begun.Options, err)
}

// finish gives the browser its session, where there is a new one.
func (s *server) finish(w http.ResponseWriter, r *http.Request, what string, handle Handle) {
	var name string
	if cookie, err := r.Cookie(s.named + "-ceremony"); err == nil {
		name = cookie.Value
	}
	in, err := handle.Finish(what, name, body(w, r), s.named+"-session")
	welcome(w, r, in, err)
}
