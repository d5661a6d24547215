package main

import (
	"encoding/json"
	"log"
	"slices"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	kwokLabel      = "sim.catflap.dev/kubelet" // KWOK is the kubelet of nodes with this label
	notReadyKey    = "sim.catflap.dev/not-ready"
	startsKey      = "sim.catflap.dev/felix-starts"
	neverReadyKey  = "sim.catflap.dev/never-ready" // of a pod: its containers run, and are never ready
	controlPort    = 10250
	lookEvery      = time.Second
	renewEvery     = 2 * time.Second         // a node's lease
	startTakes     = 300 * time.Millisecond  // from a container's start until Felix listens
	noticeTakes    = 2200 * time.Millisecond // from a change of a FelixConfiguration until Felix ends itself
	readyAfter     = 300 * time.Millisecond  // from then until the readiness probe has seen it
	tryAgain       = time.Second             // Felix's own interval when its port is taken
	kwokLabelValue = "kwok"
)

var getNow = metav1.GetOptions{}

// host is one node: its control port and what runs on it. Its fields belong to its goroutine, but for the last.
type host struct {
	cluster *cluster
	name    string
	uid     types.UID
	woken   chan struct{}
	starts  int
	written int                    // the number of starts that the node's annotation says
	running map[types.UID]*process // Felix, by pod
	control *listeners
	renewed time.Time // the node's lease

	mutex sync.Mutex
	last  hostReport
}

// hostReport: what /healthz says of a node.
type hostReport struct {
	lookedAt time.Time
	// Nothing is under way: every pod's Felix is as it stays, and its readiness is written.
	Settled bool     `json:"settled"`
	Pods    []string `json:"pods"` // those whose Felix runs
	Listens []string `json:"listens"`
	Armed   []string `json:"armed"` // addresses that Felix would listen on and cannot, yet
	Starts  int      `json:"starts"`
}

func newHost(c *cluster, node *corev1.Node) *host {
	starts, _ := strconv.Atoi(node.Annotations[startsKey])
	h := &host{cluster: c, name: node.Name, uid: node.UID, woken: make(chan struct{}, 1), starts: starts, written: starts,
		running: map[types.UID]*process{}, control: newListeners(serveControl)}
	h.last.lookedAt = time.Now()
	go h.live()
	return h
}

func (h *host) wake() {
	select {
	case h.woken <- struct{}{}:
	default: // it is about to look anyway
	}
}

func (h *host) report() hostReport {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.last
}

func (h *host) live() {
	for {
		node, err := h.cluster.nodes.Get(h.name)
		if err != nil || node.UID != h.uid { // it was deleted
			for uid := range h.running {
				h.end(uid)
			}
			h.control.close()
			h.cluster.forget(h)
			return
		}
		pause := h.look(node, time.Now())
		select {
		case <-h.woken:
		case <-time.After(pause):
		case <-h.cluster.ctx.Done():
			return
		}
	}
}

// look does what is due, and returns when to look again.
func (h *host) look(node *corev1.Node, now time.Time) time.Duration {
	kubeletLives := node.Annotations[notReadyKey] != "true"
	settled := h.setLabel(node, kubeletLives)
	addresses := addressesOf(node)
	h.control.serve(addresses, controlPort, now)
	pods := h.cluster.calicoPods(h.name)
	if kubeletLives {
		settled = h.followPods(pods, now) && settled
		h.renewLease(now)
	}
	next := now.Add(lookEvery)
	report := hostReport{lookedAt: now, Starts: h.starts, Pods: []string{}, Listens: []string{}, Armed: []string{}}
	for _, p := range h.running {
		due := p.look(addresses, now)
		if !due.IsZero() {
			settled = false
			if due.Before(next) {
				next = due
			}
		}
		report.Pods = append(report.Pods, p.podName)
		report.Listens = append(report.Listens, p.metrics.open()...)
		report.Armed = append(report.Armed, p.metrics.armed()...)
	}
	if kubeletLives {
		for _, pod := range pods {
			settled = h.setReadiness(pod, now) && settled
		}
	}
	settled = h.writeStarts() && settled
	report.Settled = settled
	h.mutex.Lock()
	h.last = report
	h.mutex.Unlock()
	return max(time.Until(next), time.Millisecond)
}

// followPods is the kubelet's part: containers of new pods start, those of pods that are gone end. False if a pod is
// there whose container does not run (yet).
func (h *host) followPods(pods []*corev1.Pod, now time.Time) bool {
	settled := true
	here := map[types.UID]bool{}
	for _, pod := range pods {
		here[pod.UID] = true
	}
	for uid := range h.running {
		if !here[uid] {
			h.end(uid)
		}
	}
	for _, pod := range pods {
		if h.running[pod.UID] != nil || pod.DeletionTimestamp != nil {
			continue
		}
		if pod.Status.Phase != corev1.PodRunning { // KWOK has not got to it, or its image cannot be had
			settled = settled && len(pod.Status.ContainerStatuses) > 0
			continue
		}
		p, err := newProcess(h, pod, now)
		if err != nil { // it waits for what is missing, and may do so for ever
			log.Printf("%s: container of %s does not start: %v", h.name, pod.Name, err)
			continue
		}
		h.running[pod.UID] = p
	}
	return settled
}

func (h *host) end(uid types.UID) {
	h.running[uid].metrics.close()
	delete(h.running, uid)
}

// setLabel: KWOK is the node's kubelet, or nobody is. True if that is so already.
func (h *host) setLabel(node *corev1.Node, kubelet bool) bool {
	_, labelled := node.Labels[kwokLabel]
	if labelled == kubelet {
		return true
	}
	var value any
	if kubelet {
		value = kwokLabelValue
	}
	h.patchNode("labels", kwokLabel, value)
	return false
}

// renewLease: a kubelet's sign of life. Not KWOK's: of a name that comes again and again it forgets some, and their nodes
// turn NotReady for a moment.
func (h *host) renewLease(now time.Time) {
	if !h.cluster.renewsLeases || now.Sub(h.renewed) < renewEvery {
		return
	}
	leases := h.cluster.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	renewTime := metav1.NewMicroTime(now)
	patch, _ := json.Marshal(map[string]any{"spec": map[string]any{"renewTime": renewTime}})
	_, err := leases.Patch(h.cluster.ctx, h.name, types.MergePatchType, patch, metav1.PatchOptions{})
	if errors.IsNotFound(err) {
		_, err = leases.Create(h.cluster.ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: h.name},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &h.name, RenewTime: &renewTime},
		}, metav1.CreateOptions{})
	}
	if err != nil {
		log.Printf("%s: lease: %v", h.name, err)
		return
	}
	h.renewed = now
}

func (h *host) writeStarts() bool {
	if h.written == h.starts {
		return true
	}
	if h.patchNode("annotations", startsKey, strconv.Itoa(h.starts)) {
		h.written = h.starts
	}
	return h.written == h.starts
}

func (h *host) patchNode(field, key string, value any) bool {
	patch, _ := json.Marshal(map[string]any{"metadata": map[string]any{field: map[string]any{key: value}}})
	_, err := h.cluster.client.CoreV1().Nodes().Patch(h.cluster.ctx, h.name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		log.Printf("%s: %v", h.name, err)
	}
	return err == nil
}

// setReadiness writes whether the pod is ready: its Felix runs since a moment. True if that is written already.
func (h *host) setReadiness(pod *corev1.Pod, now time.Time) bool {
	p := h.running[pod.UID]
	if p == nil {
		return true
	}
	wanted := p.readyAt.Before(now) && p.runsFelix && pod.Annotations[neverReadyKey] == ""
	if wanted == isReady(pod) {
		return true
	}
	status := pod.Status.DeepCopy()
	for i := range status.Conditions {
		if c := &status.Conditions[i]; c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			c.Status, c.LastTransitionTime = corev1.ConditionFalse, metav1.NewTime(now)
			if wanted {
				c.Status = corev1.ConditionTrue
				c.Reason, c.Message = "", ""
			}
		}
	}
	for i := range status.ContainerStatuses {
		status.ContainerStatuses[i].Ready = wanted
	}
	changed := pod.DeepCopy()
	changed.Status = *status
	_, err := h.cluster.client.CoreV1().Pods(pod.Namespace).UpdateStatus(h.cluster.ctx, changed, metav1.UpdateOptions{})
	if err != nil {
		log.Printf("%s: readiness of %s: %v", h.name, pod.Name, err)
	}
	return false
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// addressesOf: what `kubectl get node -o wide` shows, less names.
func addressesOf(node *corev1.Node) []string {
	var result []string
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP || a.Type == corev1.NodeExternalIP {
			result = append(result, a.Address)
		}
	}
	return result
}
