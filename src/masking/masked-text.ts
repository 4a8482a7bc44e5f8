import { StringDecoder } from 'node:string_decoder'
import { maskStream } from './mask.ts'

/** Decodes and masks the chunks of one stream: split characters stay whole, and secrets are masked. */
export interface MaskedText {
  /** Masks these values from now on, even when split. */
  mask(values: Iterable<string>): void
  read(chunk: Buffer): string
  /** Returns the pending rest. */
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
