import { Agent } from 'node:http'
import { type Chance, chance } from './chance.fixture.ts'
import { type Door, type Kind, kinds, tell } from './clients.fixture.ts'
import { faultOf } from './judge.fixture.ts'
import type { Story } from './story.fixture.ts'
import type { World } from './world.fixture.ts'

const clients = 24
/** Longer than anything may last: what has not ended by then never does. */
export const hungMs = 90_000
/** A run with so many faults has shown enough. */
const mostFaults = 10

const sizes: Partial<Record<Kind, number>> = {
  large: 1 << 20,
  'slow reader': 1 << 19,
  abort: 1 << 18,
  upload: 1 << 18,
  events: 12,
  websocket: 8,
}

/** Clients of every kind, and how each of their requests ended. Each request has random numbers of its own. */
export class Load {
  readonly faults: string[] = []
  readonly going = new Set<Story>()
  ended = 0
  /** Whether all clients have left. */
  finished = false
  readonly #world: World
  readonly #seed: number
  readonly #outcomes = new Map<string, number>()
  #begun = 0

  constructor(world: World, seed: number) {
    this.#world = world
    this.#seed = seed
  }

  /** Sends requests as long as `more` says, given how many have begun. Resolves when all have ended. */
  async run(more: (begun: number) => boolean): Promise<void> {
    const door = { port: this.#world.port, agent: new Agent({ keepAlive: true, maxSockets: 8 }) }
    const client = async () => {
      while (more(this.#begun) && this.faults.length < mostFaults) await this.#one(door)
    }
    await Promise.all(Array.from({ length: clients }, client))
    door.agent.destroy()
    this.finished = true
  }

  /** Sixty requests at once while nothing is disturbed. Resolves with how they ended. */
  async calm(): Promise<Story[]> {
    const door = { port: this.#world.port, agent: new Agent({ keepAlive: true }) }
    const calmKinds = kinds.filter(kind => kind !== 'abort' && kind !== 'control')
    const all = Array.from({ length: 60 }, async (_, i) => {
      const by = this.#chance()
      const kind = calmKinds[i % calmKinds.length] as Kind
      const subdomain = by.pick(['steady', 'a', 'b', 'c'])
      const stories = this.#storiesOf(kind, by).map(each => ({ ...each, subdomain }))
      await this.#tell(door, kind, stories, by)
      return stories
    })
    const stories = (await Promise.all(all)).flat()
    door.agent.destroy()
    return stories
  }

  /** How many requests of each kind ended in each way. */
  outcomes(): Record<string, number> {
    return Object.fromEntries([...this.#outcomes].sort())
  }

  async #one(door: Door): Promise<void> {
    const by = this.#chance()
    const kind = by.pick(kinds)
    const stories = this.#storiesOf(kind, by)
    for (const each of stories) this.going.add(each)
    await this.#tell(door, kind, stories, by)
    for (const each of stories) {
      this.going.delete(each)
      this.ended++
    }
  }

  async #tell(door: Door, kind: Kind, stories: Story[], by: Chance): Promise<void> {
    for (const each of stories) each.beganAt = performance.now()
    const hung = Promise.withResolvers<void>()
    const timer = setTimeout(hung.resolve, hungMs)
    try {
      await Promise.race([tell(door, kind, stories as [Story, Story?], by), hung.promise])
    } catch (error) {
      this.faults.push(`${(error as Error).message}, seed ${this.#seed}, ${JSON.stringify(stories)}`)
    }
    clearTimeout(timer)
    for (const each of stories) {
      each.endedAt = performance.now()
      this.#judge(each)
    }
  }

  #judge(story: Story): void {
    const { calendar } = this.#world
    const { destroy, end, ...plain } = story
    const how = end?.how === 'answer' ? String(end.status) : `${end?.how}`
    const outcome = `${story.kind}: ${story.aborted ? 'aborted' : how}`
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
    const fault = faultOf(story, calendar, this.#world.idsAt(story))
    if (!fault) return
    const near = calendar.near(story).join(', ')
    this.faults.push(
      `${fault}\n  seed ${this.#seed}, ${JSON.stringify(plain)}\n  ${JSON.stringify(end)?.slice(0, 600)}\n  disturbed, from its begin: ${near}`,
    )
  }

  #chance(): Chance {
    return chance(this.#seed * 7919 + this.#begun)
  }

  #storiesOf(kind: Kind, by: Chance): Story[] {
    const first = storyOf(this.#begun++, kind, by)
    if (kind !== 'pipelined') return [first]
    return [first, { ...storyOf(this.#begun++, kind, by), subdomain: first.subdomain }]
  }
}

function storyOf(number: number, kind: Kind, by: Chance): Story {
  const subdomain =
    kind === 'control' ? 'control' : by.pick(['a', 'a', 'b', 'c', 'steady', 'steady', 'hostile'])
  return {
    number,
    kind,
    subdomain,
    nonce: `n${number}x`,
    size: sizes[kind] ?? by.below(4096),
    delayMs: by.pick([0, 0, 5, 40]),
    beganAt: 0,
    endedAt: 0,
    digest: '',
    aborted: false,
    destroy: () => undefined,
    end: null,
  }
}
