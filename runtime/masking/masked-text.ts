import { StringDecoder } from 'node:string_decoder'
import { maskStream } from './mask.ts'

/** Text out of the chunks of one stream: characters that are cut in two come whole, and secrets masked. */
export interface MaskedText {
  /** From now on these values are masked, also one that comes in pieces. */
  mask(values: Iterable<string>): void
  read(chunk: Buffer): string
  /** What was held back. */
  end(): string
}

export function maskedText(values: Iterable<string> = []): MaskedText {
  const decoder = new StringDecoder('utf8')
  let masking = maskStream(values)
  return {
    mask: next => {
      masking = maskStream(next)
    },
    read: chunk => masking.push(decoder.write(chunk)),
    end: () => masking.push(decoder.end()) + masking.end(),
  }
}
