// Felix's own word about its configuration: reads cases, one JSON object a line, and prints for each what Felix 3.30.1
// would use, one JSON object a line. What decides here is Felix's code and libcalico-go's (felix/config, the update
// processor, the resource conversion) and Kubernetes' $(VAR) expansion; only the order in which the kubelet and
// felix/daemon/daemon.go call them is written down again.
//
//	{"node": "n1", "env": [{"name": …, "value": …}, …], "file": "text of felix.cfg",
//	 "objects": [FelixConfigurations as the API server gives them], "repeat": 20}
//
// Go's maps have no order, and neither has Felix where names differ in case only: a case is evaluated `repeat` times.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sort"
	"strings"

	apiv3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	"github.com/sirupsen/logrus"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
	kjson "sigs.k8s.io/json"

	"github.com/projectcalico/calico/felix/config"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/k8s/resources"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/model"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/syncersv1/updateprocessors"
)

type testCase struct {
	Node string `json:"node"`
	Env  []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
	File    string            `json:"file"`
	Objects []json.RawMessage `json:"objects"`
	Repeat  int               `json:"repeat"`
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

// environment is the process's, as the kubelet makes it from a container's env list.
func environment(c testCase) []string {
	result := map[string]string{}
	mapping := expansion.MappingFuncFor(result)
	for _, entry := range c.Env {
		result[entry.Name] = expansion.Expand(entry.Value, mapping)
	}
	var environ []string
	for name, value := range result {
		environ = append(environ, name+"="+value)
	}
	// Neither the kubelet nor the scripts that start Felix keep an order.
	rand.Shuffle(len(environ), func(i, j int) { environ[i], environ[j] = environ[j], environ[i] })
	return environ
}

// datastore splits the objects into the two maps that Felix's calculation graph keeps.
func datastore(c testCase) (global, host map[string]string, unusable []string) {
	global, host = map[string]string{}, map[string]string{}
	for _, raw := range c.Objects {
		var object apiv3.FelixConfiguration
		var name struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		_ = json.Unmarshal(raw, &name)
		err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &object)
		if err == nil {
			err = resources.ConvertK8sResourceToCalicoResource(&object)
		}
		if err != nil {
			unusable = append(unusable, name.Metadata.Name)
			continue
		}
		// The key has the name of the Kubernetes object; the conversion may put another into the metadata.
		kvs, err := updateprocessors.NewFelixConfigUpdateProcessor().Process(&model.KVPair{
			Key:   model.ResourceKey{Kind: apiv3.KindFelixConfiguration, Name: name.Metadata.Name},
			Value: &object,
		})
		if err != nil {
			continue // a name that this Felix does not know
		}
		for _, kv := range kvs {
			text, ok := kv.Value.(string)
			if !ok {
				continue
			}
			switch key := kv.Key.(type) {
			case model.GlobalConfigKey:
				global[key.Name] = text
			case model.HostConfigKey:
				if key.Hostname == c.Node {
					host[key.Name] = text
				}
			}
		}
	}
	return global, host, unusable
}

func evaluate(c testCase, log *sourceLog) (map[string]value, []string, error) {
	file, fileErr := config.LoadConfigFileData([]byte(c.File))
	if fileErr != nil {
		file = nil
	}
	global, host, unusable := datastore(c)
	params := config.New()
	for _, step := range []struct {
		raw    map[string]string
		source config.Source
	}{
		{config.LoadConfigFromEnvironment(environment(c)), config.EnvironmentVariable},
		{file, config.ConfigFile},
		{global, config.DatastoreGlobal},
		{host, config.DatastorePerHost},
	} {
		if _, err := params.UpdateFrom(step.raw, step.source); err != nil {
			return nil, nil, fmt.Errorf("none of these parameters may be refused: %w", err)
		}
	}
	return map[string]value{
		"PrometheusMetricsEnabled": {fmt.Sprint(params.PrometheusMetricsEnabled), log.sources["PrometheusMetricsEnabled"]},
		"PrometheusMetricsPort":    {fmt.Sprint(params.PrometheusMetricsPort), log.sources["PrometheusMetricsPort"]},
		"PrometheusMetricsHost":    {params.PrometheusMetricsHost, log.sources["PrometheusMetricsHost"]},
	}, unusable, fileErr
}

func answerTo(c testCase, log *sourceLog) answer {
	var result answer
	seen := map[string]bool{}
	for range max(c.Repeat, 1) {
		outcome, unusable, err := evaluate(c, log)
		if outcome == nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err != nil {
			result.FileError = err.Error()
		}
		result.Unusable = unusable
		text, _ := json.Marshal(outcome)
		if !seen[string(text)] {
			seen[string(text)] = true
			result.Outcomes = append(result.Outcomes, outcome)
		}
	}
	sort.Strings(result.Unusable)
	return result
}

func main() {
	log := &sourceLog{}
	logrus.SetOutput(io.Discard)
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
