"""Reinforcement learning: environments, observations, policies, Gymnasium and stable-baselines3."""
