package felixdecides

import (
	"fmt"
	"math/rand/v2"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/pkg/kubelet/envvars"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// Sources is what a kubelet reads from the API server to build an environment. A missing object is a NotFound error.
type Sources struct {
	ConfigMap func(namespace, name string) (*corev1.ConfigMap, error)
	Secret    func(namespace, name string) (*corev1.Secret, error)
	Services  []*corev1.Service // those whose variables the pod is given
}

// ContainerEnvironment is the environment that a kubelet gives a container: envFrom, then env, the last one wins,
// $(VAR) sees what stands before it and the services' variables. An error means that the kubelet does not start the
// container. The pod is one that has its addresses. The order is none, as with the kubelet and with the scripts that
// start Felix.
func ContainerEnvironment(pod *corev1.Pod, container *corev1.Container, from Sources) ([]string, error) {
	values, services := map[string]string{}, map[string]string{}
	for _, v := range envvars.FromServices(from.Services) {
		services[v.Name] = v.Value
	}
	for _, source := range container.EnvFrom {
		data, err := wholeSource(pod.Namespace, source, from)
		if err != nil {
			return nil, err
		}
		for name, value := range data {
			values[source.Prefix+name] = value
		}
	}
	mapping := expansion.MappingFuncFor(values, services)
	for _, entry := range container.Env {
		if entry.ValueFrom == nil || entry.Value != "" {
			values[entry.Name] = expansion.Expand(entry.Value, mapping)
			continue
		}
		value, found, err := sourceValue(pod, container, entry.ValueFrom, from)
		if err != nil {
			return nil, err
		}
		if found {
			values[entry.Name] = value
		}
	}
	for name, value := range services {
		if _, set := values[name]; !set {
			values[name] = value
		}
	}
	var environ []string
	for name, value := range values {
		environ = append(environ, name+"="+value)
	}
	rand.Shuffle(len(environ), func(i, j int) { environ[i], environ[j] = environ[j], environ[i] })
	return environ, nil
}

// wholeSource: the data of an envFrom entry; nothing for an optional one that is missing.
func wholeSource(namespace string, source corev1.EnvFromSource, from Sources) (map[string]string, error) {
	switch {
	case source.ConfigMapRef != nil:
		object, err := from.ConfigMap(namespace, source.ConfigMapRef.Name)
		if err != nil {
			return nil, unlessOptional(err, source.ConfigMapRef.Optional)
		}
		return object.Data, nil
	case source.SecretRef != nil:
		object, err := from.Secret(namespace, source.SecretRef.Name)
		if err != nil {
			return nil, unlessOptional(err, source.SecretRef.Optional)
		}
		return text(object.Data), nil
	}
	return nil, nil
}

// sourceValue: the value of a valueFrom, and whether there is one: an optional key that is missing sets nothing.
func sourceValue(pod *corev1.Pod, container *corev1.Container, source *corev1.EnvVarSource, from Sources) (string, bool, error) {
	switch {
	case source.FieldRef != nil:
		value, err := podField(pod, source.FieldRef.FieldPath)
		return value, err == nil, err
	case source.ResourceFieldRef != nil:
		value, err := resource.ExtractContainerResourceValue(source.ResourceFieldRef, container)
		return value, err == nil, err
	case source.ConfigMapKeyRef != nil:
		ref := source.ConfigMapKeyRef
		object, err := from.ConfigMap(pod.Namespace, ref.Name)
		if err != nil {
			return "", false, unlessOptional(err, ref.Optional)
		}
		return keyOf(object.Data, ref.Key, ref.Name, ref.Optional)
	case source.SecretKeyRef != nil:
		ref := source.SecretKeyRef
		object, err := from.Secret(pod.Namespace, ref.Name)
		if err != nil {
			return "", false, unlessOptional(err, ref.Optional)
		}
		return keyOf(text(object.Data), ref.Key, ref.Name, ref.Optional)
	}
	return "", true, nil
}

func keyOf(data map[string]string, key, object string, optional *bool) (string, bool, error) {
	value, found := data[key]
	if !found && !isTrue(optional) {
		return "", false, fmt.Errorf("%s has no key %s", object, key)
	}
	return value, found, nil
}

func podField(pod *corev1.Pod, path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.hostIP":
		return pod.Status.HostIP, nil
	case "status.podIP":
		return pod.Status.PodIP, nil
	case "status.hostIPs":
		var all []string
		for _, ip := range pod.Status.HostIPs {
			all = append(all, ip.IP)
		}
		return strings.Join(all, ","), nil
	case "status.podIPs":
		var all []string
		for _, ip := range pod.Status.PodIPs {
			all = append(all, ip.IP)
		}
		return strings.Join(all, ","), nil
	}
	return fieldpath.ExtractFieldPathAsString(pod, path)
}

func unlessOptional(err error, optional *bool) error {
	if apierrors.IsNotFound(err) && isTrue(optional) {
		return nil
	}
	return err
}

func isTrue(b *bool) bool { return b != nil && *b }

func text(data map[string][]byte) map[string]string {
	result := map[string]string{}
	for key, value := range data {
		result[key] = string(value)
	}
	return result
}
