package main

// What crosses into C: the few calls that this server makes, each as a Go function that returns an error.

/*
#cgo pkg-config: keyplate-static
#include <stdlib.h>
#include "keyplate.h"

void goEvent(keyplate_audit_event *event, void *data);
static void on_event(const keyplate_audit_event *event, void *data) { goEvent((keyplate_audit_event *)event, data); }
static keyplate_status set_events(keyplate_config *config, keyplate_error **error) {
    return keyplate_config_set_events(config, on_event, NULL, NULL, error);
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Error is what the library says: a status for HTTP, a name and a reason for the page, words for the log.
type Error struct {
	HTTP         int
	Name, Reason string
	RetrySeconds int64
	words        string
}

func (e *Error) Error() string { return e.words }

// failed makes an error of a status, and frees C's.
func failed(status C.keyplate_status, place **C.keyplate_error) error {
	err := *place
	if status == C.KEYPLATE_STATUS_OK {
		return nil
	}
	defer C.keyplate_error_free(err)
	e := &Error{
		HTTP:   int(C.keyplate_error_get_http_status(err)),
		Name:   C.GoString(C.keyplate_status_name(status)),
		Reason: text(C.keyplate_error_get_reason_json(err)),
		words:  text(C.keyplate_error_get_message(err)),
	}
	var wait C.int64_t
	if C.keyplate_error_get_retry_after(err, &wait) {
		e.RetrySeconds = int64(wait)/1000 + 1
	}
	return e
}

func text(s C.keyplate_str) string { return C.GoStringN(s.ptr, C.int(s.len)) }

func reveal(s *C.keyplate_secret) string { return text(C.keyplate_secret_reveal(s)) }

// c is a copy for C, freed by release.
func c(s string) (*C.char, func()) {
	copied := C.CString(s)
	return copied, func() { C.free(unsafe.Pointer(copied)) }
}

// Handle is the host's, a stranger's or a user's. Many goroutines may use one.
type Handle struct{ kp *C.keyplate }

func (h Handle) Close() { C.keyplate_free(h.kp) }

func Open(path, origin string) (Handle, error) {
	var config *C.keyplate_config
	var kp *C.keyplate
	var e *C.keyplate_error
	cPath, free := c(path)
	defer free()
	cOrigin, free := c(origin)
	defer free()
	if err := failed(C.keyplate_config_new(cPath, cOrigin, &config, &e), &e); err != nil {
		return Handle{}, err
	}
	defer C.keyplate_config_free(config)
	if err := failed(C.set_events(config, &e), &e); err != nil {
		return Handle{}, err
	}
	err := failed(C.keyplate_open(config, &kp, &e), &e)
	return Handle{kp}, err
}

//export goEvent
func goEvent(event *C.keyplate_audit_event, _ unsafe.Pointer) {
	kind := C.GoString(C.keyplate_event_kind_name(C.keyplate_audit_event_get_kind(event)))
	fmt.Println("event", kind, text(C.keyplate_audit_event_get_username(event)))
}

// FirstRun makes what a fresh database needs: a setup token, and the library, which is open to everybody.
func (h Handle) FirstRun() (token string, err error) {
	var e *C.keyplate_error
	var state *C.keyplate_setup_state
	if err := failed(C.keyplate_get_setup_state(h.kp, &state, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_setup_state_free(state)
	if C.keyplate_setup_state_get_stage(state) != C.KEYPLATE_SETUP_STAGE_UNINITIALISED {
		return "", nil
	}
	var created *C.keyplate_created_setup_token
	if err := failed(C.keyplate_create_setup_token(h.kp, &created, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_created_setup_token_free(created)
	slug, free := c("library")
	defer free()
	var input *C.keyplate_new_service
	if err := failed(C.keyplate_new_service_new(slug, &input, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_new_service_free(input)
	if err := failed(C.keyplate_new_service_set_access(input, C.KEYPLATE_SERVICE_ACCESS_EVERYONE, &e), &e); err != nil {
		return "", err
	}
	var service *C.keyplate_service
	status := C.keyplate_create_service(h.kp, input, &service, &e)
	defer C.keyplate_service_free(service)
	if err := failed(status, &e); status != C.KEYPLATE_STATUS_CONFLICT && err != nil {
		return "", err
	}
	return reveal(C.keyplate_created_setup_token_get_secret(created)), nil
}

// AllowInvitations lets people in who have one.
func (h Handle) AllowInvitations() error {
	var e *C.keyplate_error
	var changes *C.keyplate_settings_changes
	var settings *C.keyplate_settings
	if err := failed(C.keyplate_settings_changes_new(&changes, &e), &e); err != nil {
		return err
	}
	defer C.keyplate_settings_changes_free(changes)
	if err := failed(C.keyplate_settings_changes_set_signup_mode(changes, C.KEYPLATE_SIGNUP_MODE_WITH_TOKEN, &e), &e); err != nil {
		return err
	}
	err := failed(C.keyplate_update_settings(h.kp, changes, &settings, &e), &e)
	C.keyplate_settings_free(settings)
	return err
}

// Upkeep removes what has expired, and writes a copy.
func (h Handle) Upkeep(copyTo string) error {
	var e *C.keyplate_error
	var purged *C.keyplate_purge_report
	var backup *C.keyplate_backup_report
	if err := failed(C.keyplate_purge_expired(h.kp, &purged, &e), &e); err != nil {
		return err
	}
	C.keyplate_purge_report_free(purged)
	path, free := c(copyTo)
	defer free()
	err := failed(C.keyplate_back_up_to(h.kp, path, &backup, &e), &e)
	C.keyplate_backup_report_free(backup)
	return err
}

// client tells the library where a request came from, for its limits and its audit log.
func client(address, userAgent string) (*C.keyplate_client_info, error) {
	var e *C.keyplate_error
	var info *C.keyplate_client_info
	if err := failed(C.keyplate_client_info_new(&info, &e), &e); err != nil {
		return nil, err
	}
	cAddress, free := c(address)
	defer free()
	cAgent, free := c(userAgent)
	defer free()
	err := failed(C.keyplate_client_info_set_address(info, cAddress, &e), &e)
	if err == nil {
		err = failed(C.keyplate_client_info_set_user_agent(info, cAgent, &e), &e)
	}
	return info, err
}

// Stranger is a handle for somebody who has shown nothing.
func (h Handle) Stranger(address, userAgent string) (Handle, error) {
	info, err := client(address, userAgent)
	defer C.keyplate_client_info_free(info)
	if err != nil {
		return Handle{}, err
	}
	var e *C.keyplate_error
	var kp *C.keyplate
	err = failed(C.keyplate_anonymous(h.kp, info, &kp, &e), &e)
	return Handle{kp}, err
}

// Caller is somebody who has shown a credential that works.
type Caller struct {
	Handle
	Username, SessionID string
	who                 *C.keyplate_authenticated
}

func (caller *Caller) Close() {
	caller.Handle.Close()
	C.keyplate_authenticated_free(caller.who)
}

// Authenticate lets in active users; `enrolling` also those who wait for approval.
func (h Handle) Authenticate(credential string, enrolling bool, address, userAgent string) (*Caller, error) {
	var e *C.keyplate_error
	caller := &Caller{}
	secret, free := c(credential)
	defer free()
	length := C.size_t(len(credential))
	var status C.keyplate_status
	if enrolling {
		status = C.keyplate_authenticate_pending(h.kp, secret, length, &caller.who, &e)
	} else {
		status = C.keyplate_authenticate(h.kp, secret, length, &caller.who, &e)
	}
	if err := failed(status, &e); err != nil {
		return nil, err
	}
	caller.Username = text(C.keyplate_authenticated_get_username(caller.who))
	caller.SessionID = text(C.keyplate_authenticated_get_session_id(caller.who))
	info, err := client(address, userAgent)
	defer C.keyplate_client_info_free(info)
	if err == nil {
		err = failed(C.keyplate_acting_as(h.kp, C.keyplate_authenticated_get_principal(caller.who), info, &caller.kp, &e), &e)
	}
	if err != nil {
		caller.Close()
		return nil, err
	}
	return caller, nil
}

// MayUse asks whether the caller may use a service.
func (caller *Caller) MayUse(host Handle, service string) (bool, error) {
	var e *C.keyplate_error
	var decision *C.keyplate_decision
	slug, free := c(service)
	defer free()
	err := failed(C.keyplate_authorize(host.kp, C.keyplate_authenticated_get_principal(caller.who), slug, &decision, &e), &e)
	defer C.keyplate_decision_free(decision)
	return bool(C.keyplate_decision_get_allowed(decision)), err
}

// SignedIn is a new session: whose, and the cookie that gives it to the browser.
type SignedIn struct{ Username, Cookie string }

func signedIn(in *C.keyplate_signed_in, cookie string) (SignedIn, error) {
	name, free := c(cookie)
	defer free()
	var e *C.keyplate_error
	var written *C.keyplate_secret
	err := failed(C.keyplate_session_cookie_new(name, in, false, &written, &e), &e)
	defer C.keyplate_secret_free(written)
	return SignedIn{text(C.keyplate_user_get_username(C.keyplate_signed_in_get_user(in))), reveal(written)}, err
}

// SignOut ends the session, and gives the cookie that takes the browser's away.
func (caller *Caller) SignOut(cookie string) (string, error) {
	var e *C.keyplate_error
	id, free := c(caller.SessionID)
	defer free()
	if err := failed(C.keyplate_revoke_session(caller.kp, id, &e), &e); err != nil {
		return "", err
	}
	none, err := signedIn(nil, cookie)
	return none.Cookie, err
}

func (h Handle) ClaimSetup(token, username, cookie string) (SignedIn, error) {
	var e *C.keyplate_error
	var admin *C.keyplate_new_admin
	var in *C.keyplate_signed_in
	name, free := c(username)
	defer free()
	if err := failed(C.keyplate_new_admin_new(name, &admin, &e), &e); err != nil {
		return SignedIn{}, err
	}
	defer C.keyplate_new_admin_free(admin)
	secret, free := c(token)
	defer free()
	if err := failed(C.keyplate_claim_setup(h.kp, secret, C.size_t(len(token)), admin, &in, &e), &e); err != nil {
		return SignedIn{}, err
	}
	defer C.keyplate_signed_in_free(in)
	return signedIn(in, cookie)
}

// Ceremony is what a browser needs for its part, and the name that it brings back.
type Ceremony struct{ Name, Options string }

func (h Handle) Begin(what, username, invitation string) (Ceremony, error) {
	var e *C.keyplate_error
	var begun *C.keyplate_passkey_ceremony
	var status C.keyplate_status
	switch what {
	case "login":
		status = C.keyplate_begin_passkey_login(h.kp, &begun, &e)
	case "registration":
		status = C.keyplate_begin_passkey_registration(h.kp, &begun, &e)
	case "step-up":
		status = C.keyplate_begin_step_up(h.kp, &begun, &e)
	default:
		var signup *C.keyplate_new_signup
		var token *C.keyplate_secret
		name, free := c(username)
		defer free()
		secret, free := c(invitation)
		defer free()
		if err := failed(C.keyplate_new_signup_new(name, &signup, &e), &e); err != nil {
			return Ceremony{}, err
		}
		defer C.keyplate_new_signup_free(signup)
		if err := failed(C.keyplate_secret_new(secret, C.size_t(len(invitation)), &token, &e), &e); err != nil {
			return Ceremony{}, err
		}
		defer C.keyplate_secret_free(token)
		if err := failed(C.keyplate_new_signup_set_token(signup, token, &e), &e); err != nil {
			return Ceremony{}, err
		}
		status = C.keyplate_begin_passkey_signup(h.kp, signup, &begun, &e)
	}
	defer C.keyplate_passkey_ceremony_free(begun)
	return Ceremony{text(C.keyplate_passkey_ceremony_get_ceremony(begun)), text(C.keyplate_passkey_ceremony_get_options(begun))}, failed(status, &e)
}

// Finish ends a ceremony. Its session is new, or there is none: a passkey may be registered in a session that stays.
func (h Handle) Finish(what, ceremony, response, cookie string) (SignedIn, error) {
	var e *C.keyplate_error
	var in *C.keyplate_signed_in
	name, free := c(ceremony)
	defer free()
	answer, free := c(response)
	defer free()
	var status C.keyplate_status
	switch what {
	case "login":
		status = C.keyplate_finish_passkey_login(h.kp, name, answer, &in, &e)
	case "step-up":
		status = C.keyplate_finish_step_up(h.kp, name, answer, &in, &e)
	case "signup":
		status = C.keyplate_finish_passkey_signup(h.kp, name, answer, &in, &e)
	default:
		var registered *C.keyplate_passkey_registration
		if err := failed(C.keyplate_finish_passkey_registration(h.kp, name, answer, nil, &registered, &e), &e); err != nil {
			return SignedIn{}, err
		}
		defer C.keyplate_passkey_registration_free(registered)
		if replaced := C.keyplate_passkey_registration_get_signed_in(registered); replaced != nil {
			return signedIn(replaced, cookie)
		}
		return SignedIn{}, nil
	}
	if err := failed(status, &e); err != nil {
		return SignedIn{}, err
	}
	defer C.keyplate_signed_in_free(in)
	return signedIn(in, cookie)
}

// Invite makes an invitation for one person, who may have to wait for approval.
func (h Handle) Invite(approval bool) (string, error) {
	var e *C.keyplate_error
	var input *C.keyplate_new_signup_token
	var once *C.keyplate_limit
	var created *C.keyplate_created_signup_token
	rule := C.keyplate_approval_rule(C.KEYPLATE_APPROVAL_RULE_NOT_NEEDED)
	if approval {
		rule = C.KEYPLATE_APPROVAL_RULE_NEEDED
	}
	if err := failed(C.keyplate_new_signup_token_new(&input, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_new_signup_token_free(input)
	if err := failed(C.keyplate_limit_new_at_most(1, &once, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_limit_free(once)
	if err := failed(C.keyplate_new_signup_token_set_uses(input, once, &e), &e); err != nil {
		return "", err
	}
	if err := failed(C.keyplate_new_signup_token_set_approval(input, rule, &e), &e); err != nil {
		return "", err
	}
	err := failed(C.keyplate_create_signup_token(h.kp, input, &created, &e), &e)
	defer C.keyplate_created_signup_token_free(created)
	return reveal(C.keyplate_created_signup_token_get_secret(created)), err
}

// Approve lets somebody in who waits; false where there is nobody of that name.
func (h Handle) Approve(username string) (bool, error) {
	var e *C.keyplate_error
	var user, approved *C.keyplate_user
	name, free := c(username)
	defer free()
	if err := failed(C.keyplate_find_user_by_username(h.kp, name, &user, &e), &e); err != nil || user == nil {
		return false, err
	}
	defer C.keyplate_user_free(user)
	id, free := c(text(C.keyplate_user_get_id(user)))
	defer free()
	err := failed(C.keyplate_approve_user(h.kp, id, &approved, &e), &e)
	C.keyplate_user_free(approved)
	return true, err
}

// MakeKey makes an API key that may use the library and nothing else.
func (h Handle) MakeKey() (string, error) {
	var e *C.keyplate_error
	var input *C.keyplate_new_api_key
	var created *C.keyplate_created_api_key
	name, free := c("player")
	defer free()
	scope, free := c("library:stream")
	defer free()
	if err := failed(C.keyplate_new_api_key_new(name, &scope, 1, &input, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_new_api_key_free(input)
	err := failed(C.keyplate_create_api_key(h.kp, input, &created, &e), &e)
	defer C.keyplate_created_api_key_free(created)
	return reveal(C.keyplate_created_api_key_get_secret(created)), err
}

// MakeAppPassword makes a password for a player that knows only name and password; it is good for the library alone.
func (h Handle) MakeAppPassword() (string, error) {
	var e *C.keyplate_error
	var input *C.keyplate_new_app_password
	var created *C.keyplate_created_app_password
	name, free := c("player")
	defer free()
	service, free := c("library")
	defer free()
	if err := failed(C.keyplate_new_app_password_new(name, &input, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_new_app_password_free(input)
	if err := failed(C.keyplate_new_app_password_set_service(input, service, &e), &e); err != nil {
		return "", err
	}
	err := failed(C.keyplate_create_app_password(h.kp, input, &created, &e), &e)
	defer C.keyplate_created_app_password_free(created)
	return reveal(C.keyplate_created_app_password_get_secret(created)), err
}

// VerifyAppPassword says whose it is.
func (h Handle) VerifyAppPassword(username, password, address, userAgent string) (string, error) {
	info, err := client(address, userAgent)
	defer C.keyplate_client_info_free(info)
	if err != nil {
		return "", err
	}
	var e *C.keyplate_error
	var found *C.keyplate_verified_app_password
	name, free := c(username)
	defer free()
	secret, free := c(password)
	defer free()
	service, free := c("library")
	defer free()
	if err := failed(C.keyplate_verify_app_password(h.kp, name, secret, C.size_t(len(password)), service, info, &found, &e), &e); err != nil {
		return "", err
	}
	defer C.keyplate_verified_app_password_free(found)
	return text(C.keyplate_verified_app_password_get_username(found)), nil
}
