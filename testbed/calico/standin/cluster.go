package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"catflap/testbed/calico/felixdecides"
)

const (
	staleAfter = 10 * time.Second // a node nobody looked at for so long: the stand-in does not do its work
	byNode     = "node"           // index of the pods
)

// cluster is what the API server has, and a goroutine for each node.
type cluster struct {
	ctx           context.Context
	client        kubernetes.Interface
	vendorDefault bool
	renewsLeases  bool // of the nodes that KWOK plays

	nodes    corelisters.NodeLister
	services corelisters.ServiceLister
	pods     cache.Indexer
	felix    cache.GenericLister
	info     cache.GenericLister
	edition  atomic.Int64 // of the FelixConfigurations: grows with each change of one

	mutex sync.Mutex
	hosts map[string]*host
}

var (
	felixConfigurations = schema.GroupVersionResource{
		Group: "crd.projectcalico.org", Version: "v1", Resource: "felixconfigurations"}
	clusterInformations = schema.GroupVersionResource{
		Group: "crd.projectcalico.org", Version: "v1", Resource: "clusterinformations"}
)

func openCluster(ctx context.Context, config *rest.Config, vendorDefault, renewsLeases bool) (*cluster, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	raw, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	c := &cluster{ctx: ctx, client: client, vendorDefault: vendorDefault, renewsLeases: renewsLeases,
		hosts: map[string]*host{}}
	core := informers.NewSharedInformerFactory(client, 0)
	pods := core.Core().V1().Pods().Informer()
	nodes := core.Core().V1().Nodes().Informer()
	dynamicFactory := dynamicinformer.NewDynamicSharedInformerFactory(raw, 0)
	felix := dynamicFactory.ForResource(felixConfigurations)
	info := dynamicFactory.ForResource(clusterInformations)
	if err := pods.AddIndexers(cache.Indexers{byNode: nodeOfPod}); err != nil {
		return nil, err
	}
	c.pods, c.felix, c.info = pods.GetIndexer(), felix.Lister(), info.Lister()
	c.nodes, c.services = core.Core().V1().Nodes().Lister(), core.Core().V1().Services().Lister()
	for _, watched := range []struct {
		informer cache.SharedIndexInformer
		changed  func(any)
	}{
		{pods, func(o any) { c.wake(o.(*corev1.Pod).Spec.NodeName) }},
		{nodes, func(o any) { c.nodeChanged(o.(*corev1.Node)) }},
		{felix.Informer(), func(any) { c.edition.Add(1); c.wakeAll() }},
		{info.Informer(), func(any) { c.wakeAll() }},
	} {
		if _, err := watched.informer.AddEventHandler(onEvery(watched.changed)); err != nil {
			return nil, err
		}
	}
	core.Start(ctx.Done())
	dynamicFactory.Start(ctx.Done())
	core.WaitForCacheSync(ctx.Done())
	dynamicFactory.WaitForCacheSync(ctx.Done())
	c.wakeAll()
	return c, nil
}

func onEvery(changed func(any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, now any) { changed(now) },
		DeleteFunc: func(gone any) {
			if unknown, ok := gone.(cache.DeletedFinalStateUnknown); ok {
				gone = unknown.Obj
			}
			changed(gone)
		},
	}
}

func nodeOfPod(o any) ([]string, error) { return []string{o.(*corev1.Pod).Spec.NodeName}, nil }

// nodeChanged starts a node's goroutine when the node is first seen. It ends itself when the node is gone.
func (c *cluster) nodeChanged(node *corev1.Node) {
	c.mutex.Lock()
	if _, known := c.hosts[node.Name]; !known {
		if _, err := c.nodes.Get(node.Name); err == nil {
			c.hosts[node.Name] = newHost(c, node)
		}
	}
	c.mutex.Unlock()
	c.wake(node.Name)
}

func (c *cluster) wake(node string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if h := c.hosts[node]; h != nil {
		h.wake()
	}
}

func (c *cluster) wakeAll() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, h := range c.hosts {
		h.wake()
	}
}

// forget: the node is gone; one of its name that has come meanwhile starts anew.
func (c *cluster) forget(h *host) {
	c.mutex.Lock()
	delete(c.hosts, h.name)
	c.mutex.Unlock()
	if node, err := c.nodes.Get(h.name); err == nil {
		c.nodeChanged(node)
	}
}

// calicoPods: those on this node that have a container calico-node.
func (c *cluster) calicoPods(node string) []*corev1.Pod {
	var result []*corev1.Pod
	all, _ := c.pods.ByIndex(byNode, node)
	for _, o := range all {
		if pod := o.(*corev1.Pod); calicoContainer(pod) != nil {
			result = append(result, pod)
		}
	}
	return result
}

func calicoContainer(pod *corev1.Pod) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == "calico-node" {
			return &pod.Spec.Containers[i]
		}
	}
	return nil
}

// felixObjects: the FelixConfigurations as JSON.
func (c *cluster) felixObjects() []json.RawMessage {
	var result []json.RawMessage
	all, _ := c.felix.List(labels.Everything())
	for _, o := range all {
		if raw, err := o.(*unstructured.Unstructured).MarshalJSON(); err == nil {
			result = append(result, raw)
		}
	}
	return result
}

// datastoreReady: what ClusterInformation says. Where it says nothing, calico-node has written true before Felix starts.
func (c *cluster) datastoreReady() bool {
	o, err := c.info.Get("default")
	if err != nil {
		return true
	}
	ready, found, err := unstructured.NestedBool(o.(*unstructured.Unstructured).Object, "spec", "datastoreReady")
	return ready || !found || err != nil
}

// sources: what the pod's kubelet reads; ConfigMaps and Secrets are read when a container starts.
func (c *cluster) sources(pod *corev1.Pod) felixdecides.Sources {
	links := pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks
	var services []*corev1.Service
	all, _ := c.services.List(labels.Everything())
	for _, s := range all {
		if s.Namespace == "default" && s.Name == "kubernetes" || links && s.Namespace == pod.Namespace {
			services = append(services, s)
		}
	}
	return felixdecides.Sources{
		ConfigMap: func(namespace, name string) (*corev1.ConfigMap, error) {
			return c.client.CoreV1().ConfigMaps(namespace).Get(c.ctx, name, getNow)
		},
		Secret: func(namespace, name string) (*corev1.Secret, error) {
			return c.client.CoreV1().Secrets(namespace).Get(c.ctx, name, getNow)
		},
		Services: services,
	}
}

// serveHealth: 503 if a node was not looked at for long; the caches are followed by the same process.
func (c *cluster) serveHealth(w http.ResponseWriter, _ *http.Request) {
	c.mutex.Lock()
	hosts := make([]*host, 0, len(c.hosts))
	for _, h := range c.hosts {
		hosts = append(hosts, h)
	}
	c.mutex.Unlock()
	report := map[string]hostReport{}
	code := http.StatusOK
	for _, h := range hosts {
		r := h.report()
		report[h.name] = r
		if time.Since(r.lookedAt) > staleAfter {
			code = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"nodes": report})
}
