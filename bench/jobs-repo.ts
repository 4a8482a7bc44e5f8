/**
 * A repo of 22 jobs and 15 packages (`bench/jobs-repo/`), which the product installs: how much memory the reading of its
 * manifest needs, and whether it is ever refused; from a save until it is live; and what a run that uses none of the
 * packages takes, beside the same run in a repo that has nothing else. The packages come from the registry, once.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { builds } from './beside.fixture.ts'
import { now, pause, print, type Session } from './instance.fixture.ts'
import { watchReading } from './reading.fixture.ts'
import { startBench } from './shop.fixture.ts'

const rounds = Number(process.argv[2] ?? 20)
const job = 'heartbeat'
const bench = startBench()

/** From the request for a run to the first line of the job, in milliseconds. */
async function firstLine(session: Session): Promise<number> {
  const askedAt = now()
  return Number(await session.run(job)) - askedAt
}

async function openBoth(name: string, program: string) {
  const { session, jobs } = await bench.openShop(program)
  const one = await bench.openOne(program, job)
  const save = (round: number) =>
    session.save(() => appendFileSync(join(jobs, `jobs/${job}.ts`), `// ${round}\n`))
  await Promise.all([firstLine(session), firstLine(one)])
  return {
    name,
    session,
    one,
    save,
    memory: [] as number[],
    live: [] as number[],
    here: [] as number[],
    there: [] as number[],
  }
}

try {
  const all = []
  for (const { name, program } of builds()) all.push(await openBoth(name, program))
  for (let round = 0; round < rounds; round++) {
    for (const { session, one, save, memory, live, here, there } of all) {
      const peak = watchReading(session.child.pid ?? 0)
      await save(2 * round)
      memory.push(await peak())
      await pause(300)
      live.push(await save(2 * round + 1))
      await pause(300)
      here.push(await firstLine(session))
      await pause(300)
      there.push(await firstLine(one))
      await pause(300)
    }
  }
  for (const { name, memory, live, here, there } of all) {
    print(`${name}: memory of a reading, none refused`, memory, { unit: 'MiB', most: 150 })
    print(`${name}: save → live`, live, { most: 1000 })
    const beside = print(`${name}: run without packages, in an empty repo`, there)
    print(`${name}: the same in the repo of 22 jobs`, here, { beside, most: 1.3 * beside })
  }
} finally {
  await bench.end()
}
