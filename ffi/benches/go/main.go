// Verifies API keys of prepared data, for `cargo xtask bench`: `verify_api_key.c`, in Go.
package main

/*
#cgo LDFLAGS: -lkeyplate
#include <stdlib.h>
#include "keyplate.h"
*/
import "C"

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"
	"unsafe"
)

func open(folder string) *C.keyplate {
	var config *C.keyplate_config
	var kp *C.keyplate
	path, origin := C.CString(folder+"/id.db"), C.CString("https://media.example")
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(origin))
	if C.keyplate_config_new(path, origin, &config, nil) != C.KEYPLATE_STATUS_OK {
		log.Fatal("config")
	}
	defer C.keyplate_config_free(config)
	if C.keyplate_open(config, &kp, nil) != C.KEYPLATE_STATUS_OK {
		log.Fatal("open")
	}
	return kp
}

func verify(kp *C.keyplate, secret string) {
	text := C.CString(secret)
	defer C.free(unsafe.Pointer(text))
	var who *C.keyplate_authenticated
	if C.keyplate_verify_api_key(kp, text, C.size_t(len(secret)), &who, nil) != C.KEYPLATE_STATUS_OK {
		log.Fatal("verify")
	}
	C.keyplate_authenticated_free(who)
}

func main() {
	file, err := os.ReadFile(os.Args[1] + "/secrets")
	if err != nil {
		log.Fatal(err)
	}
	secrets := strings.Split(strings.TrimSpace(string(file)), "\n")
	kp := open(os.Args[1])
	defer C.keyplate_free(kp)
	var from, count int
	for {
		if n, _ := fmt.Scan(&from, &count); n != 2 {
			return
		}
		began := time.Now()
		for n := from; n < from+count; n++ {
			verify(kp, secrets[n%len(secrets)])
		}
		fmt.Println(time.Since(began).Nanoseconds())
	}
}
