package felixdecides

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var yes = true

// objects: ConfigMap and Secret "on" say true, "off" says false; there are no others.
var objects = Sources{
	ConfigMap: func(_, name string) (*corev1.ConfigMap, error) {
		switch name {
		case "on":
			return &corev1.ConfigMap{Data: map[string]string{"ENABLED": "true"}}, nil
		case "off":
			return &corev1.ConfigMap{Data: map[string]string{"ENABLED": "false"}}, nil
		}
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, name)
	},
	Secret: func(_, name string) (*corev1.Secret, error) {
		if name == "on" {
			return &corev1.Secret{Data: map[string][]byte{"ENABLED": []byte("true")}}, nil
		}
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
	},
	Services: []*corev1.Service{{ObjectMeta: metav1.ObjectMeta{Name: "kubernetes"},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.1", Ports: []corev1.ServicePort{{Name: "https", Port: 443}}}}},
}

func fromMap(name, prefix string, optional *bool) corev1.EnvFromSource {
	return corev1.EnvFromSource{Prefix: prefix, ConfigMapRef: &corev1.ConfigMapEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: optional}}
}

func key(object, name string, optional *bool) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: object}, Key: name, Optional: optional}}
}

func secret(object string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: object}, Key: "ENABLED"}}
}

func field(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

// Each row: what a container has, and what variable X (or ENABLED of envFrom) is then. "-": it is not set;
// "!": the container does not start.
func TestContainerEnvironment(t *testing.T) {
	for _, row := range []struct {
		name    string
		envFrom []corev1.EnvFromSource
		env     []corev1.EnvVar
		wanted  string
	}{
		{"a value", nil, []corev1.EnvVar{{Name: "X", Value: "a"}}, "a"},
		{"the last of two wins", nil, []corev1.EnvVar{{Name: "X", Value: "a"}, {Name: "X", Value: "b"}}, "b"},
		{"an empty one is set", nil, []corev1.EnvVar{{Name: "X"}}, ""},
		{"an earlier name is expanded", nil, []corev1.EnvVar{{Name: "Y", Value: "a"}, {Name: "X", Value: "$(Y)"}}, "a"},
		{"a later name is not", nil, []corev1.EnvVar{{Name: "X", Value: "$(Y)"}, {Name: "Y", Value: "a"}}, "$(Y)"},
		{"a doubled dollar is one", nil, []corev1.EnvVar{{Name: "Y", Value: "a"}, {Name: "X", Value: "$$(Y)"}}, "$(Y)"},
		{"a service's is expanded", nil, []corev1.EnvVar{{Name: "X", Value: "$(KUBERNETES_SERVICE_HOST)"}}, "10.96.0.1"},
		{"envFrom is expanded", []corev1.EnvFromSource{fromMap("on", "", nil)}, []corev1.EnvVar{{Name: "X", Value: "$(ENABLED)"}}, "true"},
		{"envFrom with a prefix", []corev1.EnvFromSource{fromMap("on", "X", nil)}, []corev1.EnvVar{{Name: "X", Value: "$(XENABLED)"}}, "true"},
		{"a later envFrom wins", []corev1.EnvFromSource{fromMap("on", "", nil), fromMap("off", "", nil)},
			[]corev1.EnvVar{{Name: "X", Value: "$(ENABLED)"}}, "false"},
		{"env wins over envFrom", []corev1.EnvFromSource{fromMap("on", "", nil)},
			[]corev1.EnvVar{{Name: "ENABLED", Value: "no"}, {Name: "X", Value: "$(ENABLED)"}}, "no"},
		{"a missing source", []corev1.EnvFromSource{fromMap("gone", "", nil)}, nil, "!"},
		{"a missing optional source", []corev1.EnvFromSource{fromMap("gone", "", &yes)}, nil, "-"},
		{"a key", nil, []corev1.EnvVar{{Name: "X", ValueFrom: key("off", "ENABLED", nil)}}, "false"},
		{"a missing key", nil, []corev1.EnvVar{{Name: "X", ValueFrom: key("off", "OTHER", nil)}}, "!"},
		{"a missing optional key", nil, []corev1.EnvVar{{Name: "X", ValueFrom: key("off", "OTHER", &yes)}}, "-"},
		{"a missing optional key leaves what was", nil,
			[]corev1.EnvVar{{Name: "X", Value: "a"}, {Name: "X", ValueFrom: key("off", "OTHER", &yes)}}, "a"},
		{"a missing object", nil, []corev1.EnvVar{{Name: "X", ValueFrom: key("gone", "ENABLED", nil)}}, "!"},
		{"a secret", nil, []corev1.EnvVar{{Name: "X", ValueFrom: secret("on")}}, "true"},
		{"a missing secret", nil, []corev1.EnvVar{{Name: "X", ValueFrom: secret("gone")}}, "!"},
		{"the node's name", nil, []corev1.EnvVar{{Name: "X", ValueFrom: field("spec.nodeName")}}, "n1"},
		{"the host's address", nil, []corev1.EnvVar{{Name: "X", ValueFrom: field("status.hostIP")}}, "10.91.0.11"},
		{"a label", nil, []corev1.EnvVar{{Name: "X", ValueFrom: field("metadata.labels['k8s-app']")}}, "calico-node"},
		{"no such field", nil, []corev1.EnvVar{{Name: "X", ValueFrom: field("spec.nothing")}}, "!"},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"k8s-app": "calico-node"}},
			Spec: corev1.PodSpec{NodeName: "n1"}, Status: corev1.PodStatus{HostIP: "10.91.0.11"}}
		environ, err := ContainerEnvironment(pod, &corev1.Container{EnvFrom: row.envFrom, Env: row.env}, objects)
		got := "-"
		if i := slices.IndexFunc(environ, func(v string) bool { return strings.HasPrefix(v, "X=") }); i >= 0 {
			got = environ[i][len("X="):]
		}
		if err != nil {
			got = "!"
		}
		if got != row.wanted {
			t.Errorf("%s: %q instead of %q", row.name, got, row.wanted)
		}
	}
}

func TestRestartOnlyForWhatFelixWouldUse(t *testing.T) {
	config := func(value string, environ ...string) Outcome {
		object := []byte(`{"metadata": {"name": "default"}, "spec": {"prometheusMetricsEnabled": ` + value + `}}`)
		outcome, err := Evaluate(Inputs{Node: "n1", Environ: environ, Objects: []json.RawMessage{object}})
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	restarts := func(before, after Outcome) bool {
		answer, err := NeedsRestart(before.Config, after.Config)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if !restarts(config("true"), config("false")) {
		t.Error("a changed value needs a restart")
	}
	const masking = "FELIX_PROMETHEUSMETRICSENABLED=true"
	if restarts(config("true", masking), config("false", masking)) {
		t.Error("the environment hides the change")
	}
	if restarts(config("null"), config("false")) {
		t.Error("the default is the same")
	}
}
