module groundcrew.dev/hack/control-plane/launcher

go 1.26.0
