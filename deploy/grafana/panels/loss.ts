import { gauge, type Row } from '../panel.ts';

export const loss: Row = {
  title: 'Loss',
  panels: [
    {
      title: 'Loss',
      description:
        'Mean over the real tokens of a batch, in nats: causal language modelling, fusion with the chosen teachers, and the total that is trained, λ · causal + (1 − λ) · fusion.',
      unit: 'none',
      queries: [{ expression: gauge('fusemesh_trainer_loss'), legend: '{{kind}}' }],
    },
    {
      title: 'Gradient norm',
      description:
        'Global norm of the gradient before clipping. A steady climb asks for a lower learning rate.',
      unit: 'none',
      min: 0,
      queries: [{ expression: gauge('fusemesh_trainer_gradient_norm'), legend: 'norm' }],
    },
    {
      title: 'Learning rate',
      description: 'Linear warm-up, then cosine to zero.',
      unit: 'sci',
      min: 0,
      queries: [{ expression: gauge('fusemesh_trainer_learning_rate'), legend: 'learning rate' }],
    },
  ],
};
