// `npm start`: install what is missing, build, and become the control plane.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { node, root, setUp } from './setup.mjs'

setUp()
const build = spawnSync(node(), [join(root, 'esbuild.config.mjs')], { stdio: ['ignore', 2, 2] })
if (build.status !== 0) process.exit(build.status ?? 1)

buildImageIfNeeded()

const child = spawn(node(), ['--enable-source-maps', join(root, 'dist/control-plane.js')], {
  stdio: 'inherit',
})
// A terminal sends Ctrl-C to the whole group; a supervisor sends TERM to us alone. Either way the child decides.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))

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
