/**
 * FuseLLM as its authors coded it (Wan et al., ICLR 2024, arXiv 2401.10491): its alignment of tokens by dynamic time
 * warping and its map of vocabularies by least edit distance. Nothing else of this folder is used from outside.
 */
export { minimumEditDistanceMap } from './minimum-edit-distance.ts';
export { rowsByTimeWarping } from './rows-by-time-warping.ts';
