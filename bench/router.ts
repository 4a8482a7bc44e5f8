import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'

/**
 * Requests per second of the router beside other proxies, each alone on one core; the backend and the load generator
 * have the other. Rounds are interleaved so that a slow minute of the machine hits all alike; processor time a request
 * is given too, because it tells the proxies apart even while something else runs here.
 */
const connections = 64
const rounds = 5
const seconds = 3
const warmUpSeconds = 2

const folder = mkdtempSync(join(tmpdir(), 'longhouse-bench-router-'))
const running: ChildProcess[] = []

interface Proxy {
  name: string
  /** Starts it in front of the backend; null when it is not to be had here. */
  start(port: number, backend: number): Promise<ChildProcess> | ChildProcess | string
}

const proxies: Proxy[] = [
  { name: 'longhouse', start: startLonghouse },
  { name: 'caddy', start: startCaddy },
  { name: 'nginx', start: startNginx },
  { name: 'configurable-http-proxy', start: startConfigurableProxy },
]

try {
  await compare()
} finally {
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(running.map(child => child.exitCode ?? new Promise(done => child.once('exit', done))))
  rmSync(folder, { recursive: true, force: true })
}

async function compare(): Promise<void> {
  if (!onPath('wrk')) throw new Error('wrk is missing: apt-get install wrk')
  const backend = await freePort()
  startBackend(backend)
  await untilAnswers(backend, 'the backend')

  const results = new Map<string, { port: number; child: ChildProcess; rounds: Load[] }>()
  for (const proxy of proxies) {
    const port = await freePort()
    const started = await proxy.start(port, backend)
    if (typeof started === 'string') {
      console.log(`${proxy.name}: left out, ${started}`)
      continue
    }
    running.push(started)
    await untilAnswers(port, proxy.name)
    load(port, warmUpSeconds)
    results.set(proxy.name, { port, child: started, rounds: [] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const { port, child, rounds } of results.values()) rounds.push(measure(port, child))
  }

  const rates = [...results].map(([name, { rounds }]) => ({
    name,
    rate: median(rounds.map(round => round.rate)),
    cpuUs: median(rounds.map(round => round.cpuUs)),
  }))
  const base = rates.find(each => each.name === 'caddy')?.rate
  console.log(
    `\n${connections} connections, 200-byte answers, medians of ${rounds} rounds of ${seconds} s on one core`,
  )
  for (const { name, rate, cpuUs } of rates) {
    const ratio = base ? `${(rate / base).toFixed(2)} × caddy` : ''
    const line = [
      name.padEnd(24),
      `${Math.round(rate)} req/s`.padStart(12),
      `${Math.round(cpuUs)} µs CPU`.padStart(11),
    ]
    console.log([...line, ratio].join('  '))
  }
}

interface Load {
  /** Requests a second. */
  rate: number
  /** Processor time of the proxy for one request, in microseconds. */
  cpuUs: number
}

function measure(port: number, child: ChildProcess): Load {
  const before = cpuTicks(child.pid ?? 0)
  const rate = load(port, seconds)
  const ticks = cpuTicks(child.pid ?? 0) - before
  return { rate, cpuUs: (ticks * 10_000) / (rate * seconds) }
}

/** Processor time of a process and its children so far, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const own = Number(fields[11]) + Number(fields[12])
  return own + children.reduce((sum, child) => sum + cpuTicks(Number(child)), 0)
}

/** nginx answers by itself, fast enough not to be what is measured. */
function startBackend(port: number): void {
  const body = 'x'.repeat(200)
  writeFileSync(
    join(folder, 'backend.conf'),
    `daemon off; worker_processes 1; pid ${folder}/backend.pid; error_log ${folder}/backend.log;
    events { worker_connections 1024; }
    http { access_log off; keepalive_requests 1000000000; default_type text/plain;
      server { listen 127.0.0.1:${port}; add_header Longhouse-Instance inst_bench; return 200 "${body}"; } }`,
  )
  running.push(pinned(1, 'nginx', ['-p', folder, '-c', join(folder, 'backend.conf')]))
}

/** Bundled, as in production, beside the packages that it loads. It still looks for its files where the sources are. */
async function startLonghouse(port: number, backend: number): Promise<ChildProcess> {
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
  return pinned(0, process.execPath, [outfile, String(port), String(backend)])
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

function pinned(
  core: number,
  program: string,
  args: string[],
  env: Record<string, string> = {},
): ChildProcess {
  return spawn('taskset', ['-c', String(core), program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
}

/** Requests per second; answers other than 200 make the figure worthless, so they end the benchmark. */
function load(port: number, duration: number): number {
  const target = `http://127.0.0.1:${port}/`
  const args = ['-t1', `-c${connections}`, `-d${duration}s`, '-H', 'Host: bench.localhost', target]
  const text = execFileSync('taskset', ['-c', '1', 'wrk', ...args], { encoding: 'utf8' })
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`not every request was answered:\n${text}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1])
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

async function freePort(): Promise<number> {
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

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
