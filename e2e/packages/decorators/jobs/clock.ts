import { injectable } from 'tsyringe'

@injectable()
export class Clock {
  now(): string {
    return '08:00'
  }
}
