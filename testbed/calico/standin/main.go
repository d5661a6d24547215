// The stand-in for calico-node on nodes whose kubelet KWOK plays: for each running pod with a container calico-node it
// builds the container's environment as a kubelet does, asks Felix's own code what that comes to (../felixdecides), and
// opens real listeners on the node's addresses, for as long as the pod's container would run. All addresses of all
// nodes are in the network namespace that it runs in.
//
// It writes to the API: the pods' readiness; with -leases the nodes' leases; the annotation sim.catflap.dev/felix-starts
// of a node, which counts the starts of Felix there; and the label by which KWOK knows its nodes, which goes while a node
// has the annotation sim.catflap.dev/not-ready: then nobody is its kubelet, it turns NotReady, and what runs on it goes on
// running.
//
// GET /healthz on the address of -health: 200 if every node was looked at within the last seconds, and as JSON whether
// each node is settled.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/sirupsen/logrus"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "the administrator's")
	health := flag.String("health", "127.0.0.1:9098", "where /healthz is")
	vendorDefault := flag.Bool("vendor-default", false, "this build of Felix serves metrics when nothing is set")
	renewsLeases := flag.Bool("leases", false, "renew the nodes' leases")
	flag.Parse()
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.ErrorLevel)

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.QPS, config.Burst = 1000, 2000
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	c, err := openCluster(ctx, config, *vendorDefault, *renewsLeases)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/healthz", c.serveHealth)
	log.Fatal(serveUntil(ctx, *health))
}

// serveUntil: the process ends with its context; its sockets go with it.
func serveUntil(ctx context.Context, address string) error {
	go func() {
		<-ctx.Done()
		os.Exit(0)
	}()
	return http.ListenAndServe(address, nil)
}
