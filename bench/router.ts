import {
  caddy,
  configurableProxy,
  type Load,
  load,
  longhouse,
  longhouseLogged,
  longhouseTimed,
  measure,
  median,
  nginx,
  startProxies,
  stopAll,
} from './proxies.fixture.ts'

/**
 * Requests per second of the router beside other proxies, each alone on one core; the backend and the load generator
 * have the other. Rounds are interleaved so that a slow minute of the machine hits all alike; processor time a request
 * is given too, because it tells the proxies apart even while something else runs here.
 */
const connections = 64
const rounds = 5
const seconds = 3

try {
  await compare()
} finally {
  await stopAll()
}

async function compare(): Promise<void> {
  const { started } = await startProxies([
    longhouse,
    longhouseLogged,
    longhouseTimed,
    caddy,
    nginx,
    configurableProxy,
  ])
  for (const { port } of started) load(port, { seconds: 2, connections })
  const results = started.map(proxy => ({ proxy, rounds: [] as Load[] }))
  for (let round = 0; round < rounds; round++) {
    for (const each of results) each.rounds.push(measure(each.proxy, { seconds, connections }))
  }

  const rates = results.map(({ proxy: { name }, rounds }) => ({
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
