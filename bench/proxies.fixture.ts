import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'

/** Where the programs of one benchmark keep their files. */
const folder = mkdtempSync(join(tmpdir(), 'longhouse-bench-router-'))
// The worker of nginx may run as another user, and reads a file of its folder.
chmodSync(folder, 0o755)
const running: ChildProcess[] = []

export interface Candidate {
  name: string
  /** Starts it in front of the backend; text says why it is not to be had here. */
  start(port: number, backend: number): Promise<ChildProcess> | ChildProcess | string
}

export const longhouse: Candidate = { name: 'longhouse', start: startLonghouse }
/** With an access log of every request. */
export const longhouseLogged: Candidate = {
  name: 'longhouse, access log',
  start: (port, backend) =>
    startLonghouse(port, backend, [], '0', {
      ROUTER_ACCESS_LOG: 'json',
      ROUTER_ACCESS_LOG_FILE: join(folder, 'access.log'),
    }),
}
/** With `Server-Timing` in every answer. */
export const longhouseTimed: Candidate = {
  name: 'longhouse, timed',
  start: (port, backend) => startLonghouse(port, backend, [], '0', { ROUTER_SERVER_TIMING: 'on' }),
}
export const caddy: Candidate = { name: 'caddy', start: startCaddy }
export const nginx: Candidate = { name: 'nginx', start: startNginx }
export const configurableProxy: Candidate = { name: 'configurable-http-proxy', start: startConfigurableProxy }

export interface Started {
  name: string
  port: number
  child: ChildProcess
}

/** Starts proxies on the first core, in front of one backend on the second. Those that are not to be had are named. */
export async function startProxies(
  proxies: readonly Candidate[],
): Promise<{ backend: number; started: Started[] }> {
  if (!onPath('wrk')) throw new Error('wrk is missing: apt-get install wrk')
  const backend = await freePort()
  startBackend(backend)
  await untilAnswers(backend, 'the backend')
  const started: Started[] = []
  for (const proxy of proxies) {
    const port = await freePort()
    const child = await proxy.start(port, backend)
    if (typeof child === 'string') {
      console.log(`${proxy.name}: left out, ${child}`)
      continue
    }
    running.push(child)
    await untilAnswers(port, proxy.name)
    started.push({ name: proxy.name, port, child })
  }
  return { backend, started }
}

/** Ends all that was started, and deletes its files. */
export async function stopAll(): Promise<void> {
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(running.map(child => child.exitCode ?? new Promise(done => child.once('exit', done))))
  rmSync(folder, { recursive: true, force: true })
}

/** Processor time of a process and its children so far, in hundredths of a second. */
export function cpuTicks(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const own = Number(fields[11]) + Number(fields[12])
  return own + children.reduce((sum, child) => sum + cpuTicks(Number(child)), 0)
}

/** nginx answers by itself, fast enough not to be what is measured: 200 bytes, and a file of 1 MB at /large. */
function startBackend(port: number): void {
  const body = 'x'.repeat(200)
  writeFileSync(join(folder, 'large'), randomBytes(1_000_000))
  writeFileSync(
    join(folder, 'backend.conf'),
    `daemon off; worker_processes 1; pid ${folder}/backend.pid; error_log ${folder}/backend.log;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 1000000000; default_type text/plain; sendfile on;
      server { listen 127.0.0.1:${port}; add_header Longhouse-Instance inst_bench; root ${folder};
        location = /large { } location / { return 200 "${body}"; } } }`,
  )
  running.push(pinned(1, 'nginx', ['-p', folder, '-c', join(folder, 'backend.conf')]))
}

/** Bundled, as in production, beside the packages that it loads. It still looks for its files where the sources are. */
export async function startLonghouse(
  port: number,
  backend: number,
  args: readonly string[] = [],
  cores = '0',
  env: Record<string, string> = {},
): Promise<ChildProcess> {
  const outfile = join(import.meta.dirname, '../node_modules/.cache/longhouse-bench/router-edge.js')
  await build({
    entryPoints: [join(import.meta.dirname, 'router-edge.fixture.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    define: { 'import.meta.dirname': JSON.stringify(join(import.meta.dirname, '../src')) },
  })
  return pinned(cores, process.execPath, [outfile, String(port), String(backend), ...args], env)
}

function startCaddy(port: number, backend: number): ChildProcess | string {
  if (!onPath('caddy')) return 'it is not installed'
  const file = join(folder, 'Caddyfile')
  writeFileSync(
    file,
    `{
      admin off
      auto_https off
    }
    http://bench.localhost:${port} {
      reverse_proxy 127.0.0.1:${backend}
    }`,
  )
  return pinned(0, 'caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    GOMAXPROCS: '1',
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
  })
}

function startNginx(port: number, backend: number): ChildProcess | string {
  if (!onPath('nginx')) return 'it is not installed'
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
    events { worker_connections 1024; }
    http { access_log off; keepalive_requests 1000000000;
      upstream backend { server 127.0.0.1:${backend}; keepalive 64; keepalive_requests 1000000000; }
      server { listen 127.0.0.1:${port}; location / {
        proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }`,
  )
  return pinned(0, 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')])
}

function startConfigurableProxy(port: number, backend: number): ChildProcess | string {
  const install = ['install', '--prefix', folder, '--no-audit', '--no-fund', 'configurable-http-proxy@4.6.3']
  try {
    execFileSync('npm', install, { stdio: 'ignore', timeout: 30_000 })
  } catch {
    return 'npm could not fetch it'
  }
  const program = join(folder, 'node_modules/configurable-http-proxy/bin/configurable-http-proxy')
  const target = `http://127.0.0.1:${backend}`
  return pinned(0, process.execPath, [
    program,
    ...['--ip', '127.0.0.1', '--port', String(port), '--api-port', String(port + 1)],
    ...['--default-target', target, '--log-level', 'error'],
  ])
}

export function pinned(
  core: number | string,
  program: string,
  args: string[],
  env: Record<string, string> = {},
): ChildProcess {
  return spawn('taskset', ['-c', String(core), program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
}

export interface LoadOptions {
  seconds: number
  connections: number
  path?: string
  /** A new connection for each request. */
  fresh?: boolean
}

/** How long answers took under a load: in milliseconds, as `wrk` counts them. */
export function latencies(
  port: number,
  { seconds, connections }: LoadOptions,
): { rate: number; p50: number; p99: number } {
  const args = ['-t1', '--latency', `-c${connections}`, `-d${seconds}s`, '-H', 'Host: bench.localhost']
  const text = execFileSync('wrk', [...args, `http://127.0.0.1:${port}/`], { encoding: 'utf8' })
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`not every request was answered:\n${text}`)
  const at = (percent: number) => {
    const [, value, unit = ''] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
    return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN)
  }
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]), p50: at(50), p99: at(99) }
}

/** Requests per second; answers other than 200 make the figure worthless, so they end the benchmark. */
export function load(port: number, { seconds, connections, path = '/', fresh = false }: LoadOptions): number {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-H', 'Host: bench.localhost']
  if (fresh) args.push('-H', 'Connection: close')
  const command = ['-c', '1', 'wrk', ...args, `http://127.0.0.1:${port}${path}`]
  const text = execFileSync('taskset', command, { encoding: 'utf8' })
  // A connection that the other side closes, as it was asked to, counts as a failed read.
  if (/Non-2xx|connect [1-9]/.test(text) || (!fresh && /Socket errors/.test(text)))
    throw new Error(`not every request was answered:\n${text}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1])
}

export interface Load {
  /** Requests a second. */
  rate: number
  /** Processor time of the proxy for one request, in microseconds. */
  cpuUs: number
}

/** What a proxy does under a load, and what each request costs it. */
export function measure({ port, child }: Started, options: LoadOptions): Load {
  const before = cpuTicks(child.pid ?? 0)
  const rate = load(port, options)
  const ticks = cpuTicks(child.pid ?? 0) - before
  return { rate, cpuUs: (ticks * 10_000) / (rate * options.seconds) }
}

async function untilAnswers(port: number, name: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    const args = ['-sf', '-o', '/dev/null', '-H', 'Host: bench.localhost', `http://127.0.0.1:${port}/`]
    try {
      execFileSync('curl', args)
      return
    } catch {
      await sleep(50)
    }
  }
  throw new Error(`${name} does not answer`)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const address = server.address()
  await new Promise(done => server.close(done))
  if (typeof address !== 'object' || !address) throw new Error('no port is free')
  return address.port
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some(path => existsSync(join(path, program)))
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
