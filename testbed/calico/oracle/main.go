// Felix's own word about its configuration: reads cases, one JSON object a line, and prints for each what Felix
// would use, one JSON object a line. Felix's code decides: ../felixdecides, of the Calico that go.mod pins, or 3.31.0.mod.
//
//	{"node": "n1", "env": [{"name": …, "value": …}, …], "file": "text of felix.cfg",
//	 "objects": [FelixConfigurations as the API server gives them], "repeat": 20, "until": ["PrometheusMetricsPort"]}
//
// Go's maps have no order, and neither has Felix where names differ in case only: a case is evaluated `repeat` times, or
// until each parameter of `until` was seen with two values.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"

	"catflap/testbed/calico/felixdecides"
)

type testCase struct {
	Node    string            `json:"node"`
	Env     []corev1.EnvVar   `json:"env"`
	File    string            `json:"file"`
	Objects []json.RawMessage `json:"objects"`
	Repeat  int               `json:"repeat"`
	Until   []string          `json:"until"`
}

// value is a parameter as Felix uses it, and the source that Felix itself logs for it.
type value struct {
	Value  string `json:"value"`
	Source string `json:"source"`
}

type answer struct {
	// Every different outcome that was seen; each maps a parameter to its value.
	Outcomes []map[string]value `json:"outcomes"`
	// Felix does not start with this file; the outcomes are those of an empty one.
	FileError string `json:"fileError,omitempty"`
	// Objects that Felix's client cannot decode or convert; the outcomes are those without them.
	Unusable []string `json:"unusable,omitempty"`
}

// sourceLog listens to what Felix logs about the parameters it parses: the only place that tells the source.
type sourceLog struct{ sources map[string]string }

func (l *sourceLog) Levels() []logrus.Level { return []logrus.Level{logrus.InfoLevel} }

func (l *sourceLog) Fire(entry *logrus.Entry) error {
	text := entry.Message
	if strings.HasPrefix(text, "Merging in config from ") {
		l.sources = map[string]string{} // all sources are resolved again
	} else if rest, ok := strings.CutPrefix(text, "Parsed value for "); ok {
		name, _, _ := strings.Cut(rest, ":")
		from := rest[strings.LastIndex(rest, " (from ")+len(" (from ") : len(rest)-1]
		if _, known := l.sources[name]; !known {
			l.sources[name] = from // Felix goes from the highest source down
		}
	}
	return nil
}

// noText: only the hook reads what Felix logs.
type noText struct{}

func (noText) Format(*logrus.Entry) ([]byte, error) { return nil, nil }

// evaluate: what Felix uses, the objects that it cannot use, why it cannot use the file; the last error is a bug.
func evaluate(c testCase, log *sourceLog) (map[string]value, felixdecides.Outcome, error) {
	log.sources = map[string]string{}
	environ, err := felixdecides.ContainerEnvironment(&corev1.Pod{}, &corev1.Container{Env: c.Env}, felixdecides.Sources{})
	if err != nil {
		return nil, felixdecides.Outcome{}, err
	}
	outcome, err := felixdecides.Evaluate(
		felixdecides.Inputs{Node: c.Node, Environ: environ, File: c.File, Objects: c.Objects})
	if err != nil {
		return nil, outcome, err
	}
	params := outcome.Config
	return map[string]value{
		"PrometheusMetricsEnabled": {fmt.Sprint(params.PrometheusMetricsEnabled), log.sources["PrometheusMetricsEnabled"]},
		"PrometheusMetricsPort":    {fmt.Sprint(params.PrometheusMetricsPort), log.sources["PrometheusMetricsPort"]},
		"PrometheusMetricsHost":    {params.PrometheusMetricsHost, log.sources["PrometheusMetricsHost"]},
	}, outcome, nil
}

// varied: each of these parameters was seen with two values.
func varied(parameters []string, outcomes []map[string]value) bool {
	for _, name := range parameters {
		if !slices.ContainsFunc(outcomes, func(o map[string]value) bool { return o[name].Value != outcomes[0][name].Value }) {
			return false
		}
	}
	return len(parameters) > 0
}

func answerTo(c testCase, log *sourceLog) answer {
	var result answer
	for range max(c.Repeat, 1) {
		values, outcome, err := evaluate(c, log)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if outcome.FileError != nil {
			result.FileError = outcome.FileError.Error()
		}
		result.Unusable = outcome.Unusable
		if !slices.ContainsFunc(result.Outcomes, func(o map[string]value) bool { return maps.Equal(o, values) }) {
			result.Outcomes = append(result.Outcomes, values)
		}
		if varied(c.Until, result.Outcomes) {
			break
		}
	}
	slices.Sort(result.Unusable)
	return result
}

func main() {
	log := &sourceLog{}
	logrus.SetOutput(io.Discard)
	logrus.SetFormatter(noText{})
	debug.SetGCPercent(400) // evaluations leave much behind, and nothing stays
	logrus.AddHook(log)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var c testCase
			if err := json.Unmarshal(line, &c); err != nil {
				fmt.Fprintln(os.Stderr, "not a case:", err)
				os.Exit(1)
			}
			if err := json.NewEncoder(out).Encode(answerTo(c, log)); err != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}
