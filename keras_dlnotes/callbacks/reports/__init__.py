"""What people read: tables, CSV files, and the events that TensorBoard shows."""
