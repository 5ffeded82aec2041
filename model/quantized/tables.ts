/**
 * Values of the 4-bit codes of bitsandbytes: NormalFloat (Dettmers et al. 2023, QLoRA, appendix E), and floating point
 * of a sign, two bits of exponent and one of fraction, divided by its largest value.
 */
export const tableValues = {
  nf4: Float32Array.of(
    -1,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1,
  ),
  fp4: Float32Array.from(
    [1, -1].flatMap((sign) => [0, 0.0625, 8, 12, 4, 6, 2, 3].map((x) => (sign * x) / 12)),
  ),
} as const;
