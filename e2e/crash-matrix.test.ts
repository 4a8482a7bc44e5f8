import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Docker from 'dockerode'
import { randomText } from '../src/ids.ts'
import { noRestic } from '../src/testing/restic.ts'
import type { Setting } from './crash/control-plane.fixture.ts'
import { type Case, killAll } from './crash/matrix.fixture.ts'
import { isOf, type Story, stepsOf, stories } from './crash/stories.fixture.ts'
import { drivers, testImage } from './longhouse.fixture.ts'

/**
 * With 1, every point on every driver: hundreds of kills, which takes long on a real engine. With names of operations, such as
 * `rollback,restore of a stopped one`, every point of these and of their undoing alone.
 */
const full = process.env.LONGHOUSE_FULL_MATRIX ?? ''
const isFull = full !== ''
const isWanted = ({ name }: Story) =>
  !isFull || full === '1' || full.split(',').some(each => name === each || name === `${each}, undone`)
/** Without it, what is tried changes from day to day. */
const day = Math.floor(Date.now() / 86_400_000)

/** Instances in one life of a control plane: one kill serves for all of them. */
const atOnce = { process: 24, docker: 12 }
/** Cases of one day on a real engine. */
const dailyOnEngine = 12

for (const { driver, skip } of drivers)
  test(`an operation that is killed at any point of any step converges, ${driver} driver`, {
    skip: skip || noRestic,
    timeout: 7_200_000,
  }, async t => {
    const otherImage = driver === 'docker' ? await makeOtherImage(t) : null
    const setting: Setting = { driver, otherImage }
    const mark = randomText(4).toLowerCase()
    const all = stories().filter(isWanted)
    assert.ok(all.length > 0, `no operation is called ${full}`)
    const undisturbed = all.map(
      (story, index): Case => ({ story, subdomain: `m${mark}-${index}`, point: null }),
    )
    const passed = new Map<string, readonly string[]>()
    for (const some of inLives(undisturbed, atOnce[driver])) {
      const outcome = await killAll(t, setting, some)
      for (const [subdomain, points] of outcome.passed) passed.set(subdomain, points)
      assert.deepEqual(outcome.faults, [], 'before anything is held')
    }

    const cases = undisturbed.flatMap(({ story, subdomain }) =>
      casesOf(story, subdomain, passed.get(subdomain) ?? []),
    )
    const chosen = isFull || driver === 'process' ? cases : ofToday(cases)
    const faults: string[] = []
    let missed = 0
    for (const some of inLives(chosen, atOnce[driver])) {
      const outcome = await killAll(t, setting, some)
      faults.push(...outcome.faults)
      missed += outcome.missed.length
      for (const each of outcome.missed)
        t.diagnostic(`not reached this time: ${each.story.name}, "${each.point}"`)
      for (const fault of outcome.faults) t.diagnostic(fault)
    }
    const steps = new Set(chosen.map(({ story, point }) => `${story.name}: ${point?.replace(/,.*/, '')}`))
    t.diagnostic(
      `${driver} driver, day ${day}: ${chosen.length} points in ${steps.size} steps of ${all.length} operations, ${missed} of them not reached`,
    )
    if (chosen.length < cases.length)
      t.diagnostic(`tried today: ${chosen.map(({ story, point }) => `${story.name}: ${point}`).join('; ')}`)
    assert.deepEqual(faults, [])
    // Which effects a step has may depend on what it finds; the steps themselves are always there.
    assert.ok(
      missed <= Math.max(2, chosen.length / 20),
      `${missed} of ${chosen.length} points were not reached`,
    )
  })

/** The points of a story at which it is killed. Fails for a step without one. */
function casesOf(story: Story, subdomain: string, passed: readonly string[]): Case[] {
  const points = passed.filter(point => isOf(story, point))
  const chosen = stepsOf(story).flatMap((step, index) => {
    const [end, others] = [`${step}, has done its work`, points.filter(each => each.startsWith(`${step}, `))]
    assert.ok(others.includes(end), `${story.name}: the step "${step}" was not seen, and has no case`)
    if (isFull) return others
    // One point of each step: its end on every other day, and in between one of the others after another.
    const within = others.filter(each => each !== end)
    const turn = day + index
    return [turn % 2 === 0 ? end : (within[(turn >> 1) % within.length] ?? end)]
  })
  return chosen.map((point, index) => ({ story, point, subdomain: `${subdomain}-${index}` }))
}

function ofToday(cases: readonly Case[]): Case[] {
  const parts = Math.ceil(cases.length / dailyOnEngine)
  return cases.filter((_, index) => index % parts === day % parts)
}

/** Neighbours go into different lives, so that each life has a bit of everything. */
function inLives(cases: readonly Case[], most: number): Case[][] {
  const lives = Math.ceil(cases.length / most)
  return Array.from({ length: lives }, (_, life) => cases.filter((_, index) => index % lives === life))
}

/** An image of the runtime with another id, to upgrade to. */
async function makeOtherImage(t: TestContext): Promise<string> {
  const docker = new Docker()
  const [repo, tag] = [`longhouse-test-${randomText(8)}`, 'matrix']
  const container = await docker.createContainer({
    Image: testImage ?? '',
    Labels: { 'longhouse.test': repo },
  })
  await container.commit({ repo, tag })
  await container.remove()
  t.after(() =>
    docker
      .getImage(`${repo}:${tag}`)
      .remove({ force: true })
      .catch(() => {}),
  )
  return `${repo}:${tag}`
}
