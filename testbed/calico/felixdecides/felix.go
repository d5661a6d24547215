// Package felixdecides asks Felix's own code what its configuration comes to. What decides is Felix's code and
// libcalico-go's (felix/config, the update processor, the resource conversion); only the order in which
// felix/daemon/daemon.go calls them is written down again.
package felixdecides

import (
	"encoding/json"
	"fmt"
	"sync"

	apiv3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	kjson "sigs.k8s.io/json"

	"github.com/projectcalico/calico/felix/config"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/k8s/resources"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/model"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/syncersv1/updateprocessors"
)

// Inputs are all that Felix reads of its configuration when it starts.
type Inputs struct {
	Node    string            // Felix's host name
	Environ []string          // NAME=value, the process's
	File    string            // the text of felix.cfg
	Objects []json.RawMessage // FelixConfigurations as the API server gives them
}

// Outcome is what Felix would use.
type Outcome struct {
	Config *config.Config
	// Felix does not start with this file; the outcome is that of an empty one.
	FileError error
	// Names of objects that Felix's client cannot decode or convert; the outcome is that without them.
	Unusable []string
}

// Felix's configuration before it has read anything; config.New sets hundreds of fields by reflection, Copy copies them.
// New also fills a table of the package: two goroutines in it ended the process with "concurrent map iteration and map write".
var unread = sync.OnceValue(config.New)

// Evaluate fails only if Felix refuses a parameter, which it does for none of those about metrics.
func Evaluate(in Inputs) (Outcome, error) {
	var out Outcome
	file, err := config.LoadConfigFileData([]byte(in.File))
	if err != nil {
		out.FileError, file = err, nil
	}
	global, host := map[string]string{}, map[string]string{}
	for _, raw := range in.Objects {
		if name, ok := convert(raw, in.Node, global, host); !ok {
			out.Unusable = append(out.Unusable, name)
		}
	}
	out.Config = unread().Copy()
	for _, step := range []struct {
		raw    map[string]string
		source config.Source
	}{
		{config.LoadConfigFromEnvironment(in.Environ), config.EnvironmentVariable},
		{file, config.ConfigFile},
		{global, config.DatastoreGlobal},
		{host, config.DatastorePerHost},
	} {
		if len(step.raw) == 0 {
			continue // UpdateFrom would resolve all the rest again, and nothing else
		}
		if _, err := out.Config.UpdateFrom(step.raw, step.source); err != nil {
			return out, fmt.Errorf("none of these parameters may be refused: %w", err)
		}
	}
	return out, nil
}

// convert adds an object to the two maps that Felix's calculation graph keeps. It returns the object's name, and false
// if Felix's client cannot use it.
func convert(raw json.RawMessage, node string, global, host map[string]string) (string, bool) {
	var object apiv3.FelixConfiguration
	var key struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(raw, &key)
	name := key.Metadata.Name
	err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &object)
	if err == nil {
		err = resources.ConvertK8sResourceToCalicoResource(&object)
	}
	if err != nil {
		return name, false
	}
	// The key has the name of the Kubernetes object; the conversion may put another into the metadata.
	kvs, err := updateprocessors.NewFelixConfigUpdateProcessor().Process(&model.KVPair{
		Key:   model.ResourceKey{Kind: apiv3.KindFelixConfiguration, Name: name},
		Value: &object,
	})
	if err != nil {
		return name, true // a name that this Felix does not know
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
			if key.Hostname == node {
				host[key.Name] = text
			}
		}
	}
	return name, true
}

// NeedsRestart: Felix running with `old` ends itself to start again with `now`.
func NeedsRestart(old, now *config.Config) (bool, error) {
	changed, err := old.Copy().UpdateFromConfigUpdate(now.ToConfigUpdate())
	if err != nil {
		return false, err
	}
	// felix/daemon/daemon.go takes a change of these without a restart.
	for _, name := range []string{"CalicoVersion", "ClusterGUID", "ClusterType", "HealthTimeoutOverrides"} {
		changed.Discard(name)
	}
	return changed.Len() > 0, nil
}
