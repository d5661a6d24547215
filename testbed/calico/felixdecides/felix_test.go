package felixdecides

import (
	"sync"
	"testing"
)

// The stand-in has one goroutine a node. Without the one table this ends the process, though not each time.
func TestEvaluateOnManyGoroutines(t *testing.T) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			<-begin
			for range 20 {
				outcome, err := Evaluate(Inputs{Node: "n1", Environ: []string{"FELIX_PROMETHEUSMETRICSENABLED=true"}})
				if err != nil || !outcome.Config.PrometheusMetricsEnabled {
					t.Error("the environment says true", err)
				}
			}
		}()
	}
	close(begin)
	all.Wait()
}

// Evaluations begin with a copy: one must not show in the next.
func TestEvaluateBeginsAnew(t *testing.T) {
	on := Inputs{Node: "n1", Environ: []string{"FELIX_PROMETHEUSMETRICSENABLED=true"}, File: "PrometheusMetricsPort = 9100\n"}
	if _, err := Evaluate(on); err != nil {
		t.Fatal(err)
	}
	outcome, err := Evaluate(Inputs{Node: "n1"})
	if err != nil || outcome.Config.PrometheusMetricsEnabled || outcome.Config.PrometheusMetricsPort != 9091 {
		t.Errorf("nothing is set, and Felix has %v, port %v (%v)", outcome.Config.PrometheusMetricsEnabled, outcome.Config.PrometheusMetricsPort, err)
	}
}
