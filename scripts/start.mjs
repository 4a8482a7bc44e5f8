// `npm start`: install what is missing, build, and become the control plane.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { node, root, setUp } from './setup.mjs'

setUp()
const build = spawnSync(node(), [join(root, 'esbuild.config.mjs')], { stdio: ['ignore', 2, 2] })
if (build.status !== 0) process.exit(build.status ?? 1)

const child = spawn(node(), ['--enable-source-maps', join(root, 'dist/control-plane.js')], {
  stdio: 'inherit',
})
// A terminal sends Ctrl-C to the whole group; a supervisor sends TERM to us alone. Either way the child decides.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
