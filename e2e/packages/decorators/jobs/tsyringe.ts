import 'reflect-metadata'
import { container, injectable, singleton } from 'tsyringe'
import { Clock } from './clock'

@singleton()
class Readings {
  readonly all = [3.5, 11]
}

@injectable()
class Report {
  constructor(
    private readonly readings: Readings,
    private readonly clock: Clock,
  ) {}

  make(): string {
    return `${this.readings.all.length} readings at ${this.clock.now()}`
  }
}

/** What each class needs is known from the types of its constructor, which decorators write into the code. */
export async function run() {
  const types = Reflect.getMetadata('design:paramtypes', Report) as { name: string }[]
  return { report: container.resolve(Report).make(), types: types.map(each => each.name) }
}
