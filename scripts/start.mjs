// `npm start`: install what is missing, build, and become the control plane.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildIfChanged } from './build.mjs'
import { endOf, node, root, setUp } from './setup.mjs'

setUp()
if (!buildIfChanged()) process.exit(1)

buildImageIfNeeded()

const child = spawn(node(), ['--enable-source-maps', join(root, 'dist/control-plane.js')], {
  stdio: 'inherit',
})
process.exit(await endOf(child))

/** Where Docker answers, instances are containers of an image that is built here the first time. */
function buildImageIfNeeded() {
  const { PROVISIONER_DRIVER: driver, CONTROL_PLANE_IMAGE: image } = process.env
  if (driver === 'process' || image) return
  const docker = (...args) => spawnSync('docker', args, { stdio: 'ignore', timeout: 5000 }).status === 0
  if (!docker('version') || docker('image', 'inspect', 'longhouse-runtime:latest')) return
  console.error('Docker answers: building the image of instances (once; npm run images builds it again) …')
  if (spawnSync(node(), [join(root, 'docker/images.mjs')], { stdio: ['ignore', 2, 2] }).status === 0) return
  console.error(
    'The image could not be built, so no instance can be provisioned until npm run images succeeds.',
  )
  console.error('Without Docker: PROVISIONER_DRIVER=process npm start')
}
