import OpenAI from 'openai'
import { keep } from '../lib/bucket'

/** A text for each new product. */
export async function run() {
  const client = new OpenAI()
  const { output_text: text } = await client.responses.create({ model: 'gpt-5-mini', input: 'Describe tea.' })
  await keep('texts/tea.txt', text)
}
