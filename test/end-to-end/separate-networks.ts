import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = (...parameters: string[]) => run('ip', parameters);

/** Whether this process may make network namespaces: on Linux as root, with iproute2. */
export async function hasSeparateNetworks(): Promise<boolean> {
  const name = `fm${process.pid}-try`;
  try {
    await ip('netns', 'add', name);
    await ip('netns', 'delete', name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Machines of one network, as far as packets go: each has a network namespace of its own and a cable to a bridge, on
 * which this machine is too. A packet that is cut off is lost; nobody hears that a connection is over.
 */
export class SeparateNetworks {
  /** The address of each machine. */
  readonly hosts: readonly string[];
  readonly #bridge = `fm${process.pid}`;

  private constructor(count: number) {
    // 198.18.0.0/15 is set apart for such tests (RFC 2544).
    const network = `198.18.${process.pid % 256}`;
    this.hosts = Array.from({ length: count }, (_, machine) => `${network}.${machine + 2}`);
  }

  static async open(count: number): Promise<SeparateNetworks> {
    const networks = new SeparateNetworks(count);
    await networks.#connect();
    return networks;
  }

  /** The same command on one of the machines. */
  on(machine: number, command: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', this.#namespace(machine), ...command];
  }

  /** Cuts a machine off from the others; this machine, with all that is not a server, still reaches it. */
  async separate(machine: number): Promise<void> {
    await this.#betweenPeers('add', machine);
  }

  async unite(machine: number): Promise<void> {
    await this.#betweenPeers('delete', machine);
  }

  /** Pulls a machine's cable. */
  async unplug(machine: number): Promise<void> {
    await ip('link', 'set', this.#cable(machine), 'down');
  }

  async plug(machine: number): Promise<void> {
    await ip('link', 'set', this.#cable(machine), 'up');
  }

  async close(): Promise<void> {
    for (const machine of this.hosts.keys()) await ip('netns', 'delete', this.#namespace(machine));
    await ip('link', 'delete', this.#bridge);
  }

  async #connect(): Promise<void> {
    const [first] = this.hosts;
    await ip('link', 'add', 'name', this.#bridge, 'type', 'bridge');
    await ip('address', 'add', `${first.replace(/\d+$/, '1')}/24`, 'dev', this.#bridge);
    await ip('link', 'set', this.#bridge, 'up');
    for (const [machine, host] of this.hosts.entries()) {
      const namespace = this.#namespace(machine);
      const cable = this.#cable(machine);
      await ip('netns', 'add', namespace);
      await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      await ip('link', 'set', cable, 'master', this.#bridge, 'up');
      await ip('-n', namespace, 'address', 'add', `${host}/24`, 'dev', 'eth0');
      await ip('-n', namespace, 'link', 'set', 'lo', 'up');
      await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    }
  }

  async #betweenPeers(change: 'add' | 'delete', machine: number): Promise<void> {
    for (const [peer, host] of this.hosts.entries()) {
      if (peer === machine) continue;
      await ip('-n', this.#namespace(machine), 'route', change, 'blackhole', host);
      await ip('-n', this.#namespace(peer), 'route', change, 'blackhole', this.hosts[machine]);
    }
  }

  #namespace(machine: number): string {
    return `fm${process.pid}-${machine}`;
  }

  #cable(machine: number): string {
    return `fm${process.pid}v${machine}`;
  }
}
