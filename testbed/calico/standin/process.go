package main

import (
	"log"
	"net"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/projectcalico/calico/felix/config"

	"catflap/testbed/calico/felixdecides"
)

// process is the Felix of one pod, from the start of its container to its end.
type process struct {
	host      *host
	podName   string
	felixHost string
	environ   []string // as the container got it: later changes of ConfigMaps do not matter
	runsFelix bool
	readyAt   time.Time // also when it waits for its datastore then: Felix reports itself ready while it does
	startAt   time.Time // Felix is starting; zero: it runs
	waits     bool      // it runs, and has not read its configuration
	endAt     time.Time // it ends itself then, to start again; zero: it does not
	edition   int64     // of the FelixConfigurations that were last looked at
	config    *config.Config
	metrics   *listeners
}

func newProcess(h *host, pod *corev1.Pod, now time.Time) (*process, error) {
	environ, err := felixdecides.ContainerEnvironment(pod, calicoContainer(pod), h.cluster.sources(pod))
	if err != nil {
		return nil, err
	}
	// calico/node's scripts: the node's name becomes Felix's, and CALICO_DISABLE_FELIX of any value keeps Felix off.
	name := variable(environ, "NODENAME")
	if name == "" {
		name = pod.Spec.NodeName
	}
	environ = slices.DeleteFunc(environ, func(v string) bool { return strings.HasPrefix(v, "FELIX_FELIXHOSTNAME=") })
	environ = append(environ, "FELIX_FELIXHOSTNAME="+name)
	return &process{host: h, podName: pod.Namespace + "/" + pod.Name, felixHost: name, environ: environ,
		runsFelix: variable(environ, "CALICO_DISABLE_FELIX") == "", startAt: now.Add(startTakes),
		readyAt: now.Add(startTakes + readyAfter), metrics: newListeners(felixServer(name))}, nil
}

func variable(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// look does what is due; it returns the moment at which the next thing is, if one is under way.
func (p *process) look(addresses []string, now time.Time) time.Time {
	if !p.runsFelix {
		return time.Time{}
	}
	if !p.endAt.IsZero() && !now.Before(p.endAt) {
		p.metrics.close()
		p.endAt, p.startAt, p.config = time.Time{}, now.Add(startTakes), nil
	}
	if !p.startAt.IsZero() {
		if now.Before(p.startAt) {
			return p.startAt
		}
		p.startAt, p.waits = time.Time{}, true
		p.host.starts++
	}
	if p.waits {
		if !p.host.cluster.datastoreReady() { // maybe for ever; a change of it wakes the host
			return p.untilReady(now)
		}
		if !p.readConfiguration() {
			return now.Add(tryAgain)
		}
		p.waits = false
	}
	p.followConfiguration(now)
	p.listen(addresses, now)
	if p.endAt.IsZero() {
		return p.untilReady(now)
	}
	return p.endAt
}

// untilReady: the moment at which its pod becomes Ready, zero if it is.
func (p *process) untilReady(now time.Time) time.Time {
	if p.readyAt.Before(now) {
		return time.Time{}
	}
	return p.readyAt.Add(time.Millisecond)
}

func (p *process) readConfiguration() bool {
	p.edition = p.host.cluster.edition.Load()
	now, ok := p.evaluate()
	p.config = now
	return ok
}

func (p *process) followConfiguration(now time.Time) {
	if !p.endAt.IsZero() {
		return
	}
	if !p.host.cluster.datastoreReady() {
		p.endAt = now.Add(noticeTakes)
		return
	}
	edition := p.host.cluster.edition.Load()
	if edition == p.edition {
		return
	}
	wanted, ok := p.evaluate()
	if !ok {
		return
	}
	p.edition = edition
	restart, err := felixdecides.NeedsRestart(p.config, wanted)
	if err != nil {
		log.Printf("%s: %v", p.podName, err)
	} else if restart {
		p.endAt = now.Add(noticeTakes)
	}
}

func (p *process) evaluate() (*config.Config, bool) {
	outcome, err := felixdecides.Evaluate(felixdecides.Inputs{
		Node: p.felixHost, Environ: p.environ, Objects: p.host.cluster.felixObjects()})
	if err != nil {
		log.Printf("%s: %v", p.podName, err)
		return nil, false
	}
	return outcome.Config, true
}

// listen opens what Felix would listen on: `host` empty or unspecified is every address of the node, a loopback address
// is the node's own and nothing that can be reached, and one that the node does not have cannot be bound.
func (p *process) listen(addresses []string, now time.Time) {
	_, set := p.config.RawValues()["PrometheusMetricsEnabled"]
	if !p.config.PrometheusMetricsEnabled && (set || !p.host.cluster.vendorDefault) {
		p.metrics.close()
		return
	}
	wanted := p.config.PrometheusMetricsHost
	if ip := net.ParseIP(wanted); wanted != "" && (ip == nil || !ip.IsUnspecified()) {
		addresses = slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return !net.ParseIP(a).Equal(ip) })
	}
	p.metrics.serve(addresses, p.config.PrometheusMetricsPort, now)
}
