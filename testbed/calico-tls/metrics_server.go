// Package metricsserver stands in for libcalico-go's package of the same name in the TLS build of
// the test bed's calico-node. Calico serves its metrics over TLS only from 3.32 on, which cannot
// be had as a Go module, and some distributions ship builds of older versions that do. This file
// gives 3.30.1 and 3.31.0 (their own is the same file) that behaviour, with the names and rules of 3.32:
//
//   - a certificate or key file set means HTTPS;
//   - the CA file must be readable even when no client certificate is asked for, else nothing
//     listens, although the parameter says enabled;
//   - the client authentication is one of Go's four names in any case; anything else is NoClientCert.
//
// The parameters are read from the environment only: those Felixes have no such fields in their
// configuration resource.
package metricsserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/sirupsen/logrus"
)

// ServePrometheusMetricsForever keeps the signature that Felix calls.
func ServePrometheusMetricsForever(host string, port int) {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.Handler())
	server := &http.Server{Addr: fmt.Sprintf("[%v]:%v", host, port), Handler: mux}
	listen := server.ListenAndServe

	cert, key := parameter("CertFile"), parameter("KeyFile")
	if cert != "" || key != "" {
		config, err := serverTLS(parameter("CAFile"))
		if err != nil {
			logrus.WithError(err).Error("Metrics endpoint is enabled but its TLS files are unusable")
			return
		}
		server.TLSConfig = config
		listen = func() error { return server.ListenAndServeTLS(cert, key) }
	}

	for {
		logrus.WithFields(logrus.Fields{
			"host": host,
			"port": port,
			"tls":  server.TLSConfig != nil,
		}).Info("Starting prometheus metrics endpoint")
		logrus.WithError(listen()).Error("Metrics endpoint stopped, starting it again")
		time.Sleep(time.Second)
	}
}

func serverTLS(caFile string) (*tls.Config, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + caFile)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ClientCAs:  pool,
		ClientAuth: clientAuth(parameter("ClientAuth")),
	}, nil
}

func clientAuth(name string) tls.ClientAuthType {
	for _, kind := range []tls.ClientAuthType{
		tls.RequireAndVerifyClientCert, tls.RequireAnyClientCert, tls.VerifyClientCertIfGiven,
	} {
		if strings.EqualFold(name, kind.String()) {
			return kind
		}
	}
	return tls.NoClientCert
}

// parameter finds FELIX_PrometheusMetrics<suffix>; like Felix, it does not care about case.
func parameter(suffix string) string {
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.EqualFold(name, "FELIX_PrometheusMetrics"+suffix) {
			return value
		}
	}
	return ""
}
