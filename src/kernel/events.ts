import type { Logger } from '../log.ts'

type Listener = (payload: unknown) => void | Promise<void>

/** Carries events from emitters to listeners, after the emitter’s own work is done. */
export class EventBus {
  readonly #listeners = new Map<string, { plugin: string; listener: Listener }[]>()
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  on(event: string, plugin: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), { plugin, listener }])
  }

  /** A listener that throws is logged; the emitter and the other listeners are not affected. */
  emit(event: string, payload: unknown): void {
    for (const { plugin, listener } of this.#listeners.get(event) ?? []) {
      queueMicrotask(async () => {
        try {
          await listener(payload)
        } catch (error) {
          this.#log.error({ err: error, event, plugin }, 'event listener failed')
        }
      })
    }
  }
}
