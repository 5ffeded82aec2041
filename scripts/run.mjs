import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { root } from './project.mjs';

/** Signals within this many milliseconds of one another are one wish: npm passes on what the terminal sent too. */
const oneWish = 500;

/**
 * Runs a command in the repository with our own terminal and waits for its end.
 *
 * At a terminal, Ctrl-C reaches the command by itself. Elsewhere the command has its own process group, and
 * each SIGINT or SIGTERM that we get is passed on once. A command that asks for it (`lifeline`) also hears of
 * our sudden death, as a closed IPC channel.
 *
 * @returns {Promise<number>} exit code, 128 + number for a signal
 */
export function run(command, parameters, { environment = process.env, lifeline = false } = {}) {
  const terminal = process.stdin.isTTY === true;
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      cwd: root,
      env: lifeline ? { ...environment, FUSEMESH_PARENT: '1' } : environment,
      detached: !terminal,
      stdio: lifeline ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
    });
    let passedOn = Number.NEGATIVE_INFINITY;
    const passOn = (signal) => {
      if (terminal && signal === 'SIGINT') return;
      if (performance.now() - passedOn < oneWish) return;
      passedOn = performance.now();
      child.kill(signal);
    };
    process.on('SIGINT', passOn);
    process.on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', passOn);
      process.off('SIGTERM', passOn);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** Runs a short command and gives its standard output, or undefined where it fails or does not exist. */
export function outputOf(command, parameters) {
  const { status, stdout } = spawnSync(command, parameters, { encoding: 'utf8', timeout: 30_000 });
  return status === 0 ? stdout.trim() : undefined;
}

/** Runs a set-up command; all that it prints goes to our stderr. True where it succeeded. */
export const succeeds = (command, parameters, environment = process.env) =>
  spawnSync(command, parameters, { cwd: root, env: environment, stdio: ['ignore', 2, 2] }).status === 0;
