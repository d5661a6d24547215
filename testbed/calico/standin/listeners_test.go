package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A port that somebody else has is taken when it is free, not before the next try, and served as Felix does.
func TestTakenPortIsArmedAndThenOpen(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := other.Addr().(*net.TCPAddr).Port
	l := newListeners(felixServer("n1"))
	defer l.close()
	now := time.Now()
	l.serve([]string{"127.0.0.1"}, port, now)
	if len(l.open()) != 0 || len(l.armed()) != 1 {
		t.Fatalf("taken: open %v, armed %v", l.open(), l.armed())
	}
	_ = other.Close()
	l.serve([]string{"127.0.0.1"}, port, now.Add(tryAgain/2))
	if len(l.open()) != 0 {
		t.Error("tried again too early")
	}
	l.serve([]string{"127.0.0.1"}, port, now.Add(tryAgain))
	if len(l.open()) != 1 || len(l.armed()) != 0 {
		t.Fatalf("free: open %v, armed %v", l.open(), l.armed())
	}
	answer, err := http.Get("http://" + l.open()[0] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if !strings.Contains(string(body), `felix_host{host="n1"} 1`) || strings.Count(string(body), "felix_") < 180 {
		t.Errorf("not Felix's metrics: %d bytes", len(body))
	}
	l.close()
	if _, err := net.Dial("tcp", other.Addr().String()); err == nil {
		t.Error("still open after the end of the process")
	}
}

func TestPortZeroIsOnePortOnAllAddresses(t *testing.T) {
	l := newListeners(felixServer("n1"))
	defer l.close()
	l.serve([]string{"127.0.0.1", "127.0.0.2"}, 0, time.Now())
	open := l.open()
	if len(open) != 2 || open[0][strings.LastIndex(open[0], ":"):] != open[1][strings.LastIndex(open[1], ":"):] {
		t.Errorf("open: %v", open)
	}
}
