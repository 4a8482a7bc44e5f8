import { definePlugin } from '../../src/kernel/control-plane.ts'
import { declaration } from './declaration.ts'
import { setUpWithoutStripe, setUpWithStripe } from './setup.ts'

export const billing = definePlugin({
  ...declaration,
  setup: context => {
    const { stripe } = context.config
    return stripe ? setUpWithStripe(context, stripe) : setUpWithoutStripe(context)
  },
})
