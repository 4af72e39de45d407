"""Trial processes on this machine: started, watched, stopped; cores, memory and GPUs shared out among them.

This room knows processes and what a machine has; what they are for, others know.
"""
