/**
 * Decimal places of amounts in Stripe's API, from https://docs.stripe.com/currencies; all others have two. `Intl` differs
 * because it follows common usage: ISK, HUF, UGX, COP, IDR and PKR have two decimals at Stripe and none in `Intl`.
 */
const decimals = new Map([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA'].map(code => [code, 0] as const),
  ...['PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'].map(code => [code, 0] as const),
  ...['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map(code => [code, 3] as const),
])

/** Formats an amount for a person: `€9.00`. `amount` is in Stripe's smallest unit of the currency. */
export function moneyWords(amount: number, currency: string): string {
  const code = currency.toUpperCase()
  const digits = decimals.get(code) ?? 2
  const value = amount / 10 ** digits
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  // `Intl` throws on an invalid currency code. An amount with an odd format is better than none.
  return /^[A-Z]{3}$/.test(code)
    ? new Intl.NumberFormat('en', { ...format, style: 'currency', currency: code }).format(value)
    : `${new Intl.NumberFormat('en', format).format(value)} ${code}`.trim()
}
