module groundcrew.dev/hack/node

go 1.26.0

require groundcrew.dev/hack/control-plane/launcher v0.0.0

replace groundcrew.dev/hack/control-plane/launcher => ../control-plane/launcher
