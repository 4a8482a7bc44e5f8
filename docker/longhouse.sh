#!/bin/sh
# The command in the image of the control plane: docker exec longhouse-control longhouse overview
exec node /app/dist/longhouse.js "$@"
