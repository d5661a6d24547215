// Calico's go.mod requires this module, but it is not published. Only whisker-backend, which the
// test bed does not build, imports it; an empty module satisfies the requirement.
module github.com/projectcalico/calico/lib/httpmachinery

go 1.24
