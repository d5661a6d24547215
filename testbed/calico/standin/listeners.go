package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	stdlog "log"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// listeners are the sockets of one program on one node: one port on a set of addresses. A port that is taken is tried
// again every second, as Felix does.
type listeners struct {
	server  func(net.Listener) *http.Server
	port    int // what was asked for
	chosen  int // the same, or what the system chose for port 0
	sockets map[string]*http.Server
	refused map[string]time.Time // when it could not be opened
}

func newListeners(server func(net.Listener) *http.Server) *listeners {
	return &listeners{server: server, sockets: map[string]*http.Server{}, refused: map[string]time.Time{}}
}

// serve: from now on this port on these addresses and nothing else.
func (l *listeners) serve(addresses []string, port int, now time.Time) {
	if l.port != port {
		l.close()
		l.port, l.chosen = port, port
	}
	for address, server := range l.sockets {
		if !slices.Contains(addresses, address) {
			_ = server.Close()
			delete(l.sockets, address)
		}
	}
	for _, address := range addresses {
		if l.sockets[address] != nil || now.Sub(l.refused[address]) < tryAgain {
			continue
		}
		socket, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(l.chosen)))
		if err != nil {
			l.refused[address] = now
			continue
		}
		delete(l.refused, address)
		l.chosen = socket.Addr().(*net.TCPAddr).Port
		l.sockets[address] = l.server(socket)
	}
}

// close ends the connections, too, as the end of a process does.
func (l *listeners) close() {
	for _, server := range l.sockets {
		_ = server.Close()
	}
	clear(l.sockets)
	clear(l.refused)
	l.port, l.chosen = 0, 0
}

func (l *listeners) open() []string { return l.named(l.sockets) }

func (l *listeners) armed() []string {
	var result []string
	for address := range l.refused {
		result = append(result, net.JoinHostPort(address, strconv.Itoa(l.port)))
	}
	return result
}

func (l *listeners) named(sockets map[string]*http.Server) []string {
	var result []string
	for address := range sockets {
		result = append(result, net.JoinHostPort(address, strconv.Itoa(l.chosen)))
	}
	return result
}

func startServer(socket net.Listener, handler http.Handler, serve func(*http.Server) error) *http.Server {
	server := &http.Server{Handler: handler, ErrorLog: stdlog.New(io.Discard, "", 0)}
	go func() { _ = serve(server) }()
	return server
}

var kubeletCertificate = selfSigned("kubelet")

// serveControl is a node's kubelet port, which shows that the node lives: TLS, and nothing to be had behind it.
func serveControl(socket net.Listener) *http.Server {
	return startServer(socket, http.NotFoundHandler(), func(s *http.Server) error {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{kubeletCertificate}}
		return s.ServeTLS(socket, "", "")
	})
}

func selfSigned(name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
