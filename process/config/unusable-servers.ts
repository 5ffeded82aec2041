const withoutPrompt =
  'gives no probabilities of a prompt (it ignores echo; PRs 15189 and 27537 of llama.cpp are open)';
const load = 'have FuseMesh load the model: `fusemesh import` makes a directory of a GGUF';

/** Why servers that people name, or that answer in place of a vLLM, cannot teach, and what to do instead; docs/teachers.md. */
export const unusableServers: Readonly<Record<string, string>> = {
  'llama.cpp': `llama.cpp's server ${withoutPrompt}: ${load}`,
  llamacpp: `llama.cpp's server ${withoutPrompt}: ${load}`,
  'llama-cpp-python': `llama-cpp-python's echo is off by one position (its issue 1983): ${load}`,
  tgi: 'TGI tells the probability of the actual token only: serve the model with vLLM or SGLang',
};
